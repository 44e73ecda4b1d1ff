using OmniFusion.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace OmniFusion.Checkpoints;

/// <summary>
/// A low-rank update of a matrix (LoRA, arXiv 2106.09685): W' = W + scale * B A, or W + scale * (B A)^T where the matrix is stored the
/// other way round (embeddings, and layers saved with fan_in_fan_out).
/// </summary>
/// <param name="A">[rank, in].</param>
/// <param name="B">[out, rank].</param>
/// <param name="Scale">alpha / rank, or alpha / sqrt(rank) when rank-stabilised (arXiv 2312.03732).</param>
/// <param name="Transposed">Whether the matrix is [in, out].</param>
public sealed record LowRankUpdate(Tensor A, Tensor B, float Scale, bool Transposed)
{
    /// <summary>Sizes of the matrix that this updates.</summary>
    public Shape MatrixShape => Transposed ? new Shape(A.Columns, B.Rows) : new Shape(B.Rows, A.Columns);

    /// <summary>The matrix with the update added, computed in single precision.</summary>
    /// <param name="matrix">The matrix in any stored type; it is not changed.</param>
    public Tensor AddTo(Tensor matrix)
    {
        Tensor sum = matrix.ToF32();
        // sum += left right, with left [rows, rank] and right [rank, columns].
        Tensor left = Transposed ? Transpose(A.ToF32()) : B.ToF32(), right = Transposed ? Transpose(B.ToF32()) : A.ToF32();
        Parallel.For(0, sum.Rows, row =>
        {
            Span<float> to = sum.Row(row);
            ReadOnlySpan<float> factors = left.Row(row);
            for (int k = 0; k < factors.Length; k++)
                TensorPrimitives.MultiplyAdd(right.Row(k), factors[k] * Scale, to, to);
        });
        return sum;
    }

    private static Tensor Transpose(Tensor matrix)
    {
        Tensor turned = Tensor.Zeros(new Shape(matrix.Columns, matrix.Rows));
        for (int row = 0; row < matrix.Rows; row++)
            for (int column = 0; column < matrix.Columns; column++)
                turned.Row(column)[row] = matrix.Row(row)[column];
        return turned;
    }
}
