using OmniFusion.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace OmniFusion.Training;

/// <summary>
/// Compares what two parts of a batch want of the weights: the cosine between their gradients is 1 where they pull the same way, 0 where
/// they have nothing to do with each other, and below 0 where one undoes what the other learns (cf. Yu et al. 2020, "Gradient Surgery").
/// </summary>
/// <param name="compute">Where to compute; its arena is taken back.</param>
/// <param name="parameters">The weights by name; their gradients are zero before and after.</param>
internal sealed class GradientWatch(Compute compute, IReadOnlyDictionary<string, Tensor> parameters)
{
    // Sums over a group of parameters, or over all.
    private sealed class Sums
    {
        public double Dot, First, Second;

        public double Cosine => First > 0 && Second > 0 ? Dot / Math.Sqrt(First * Second) : 0;
    }

    /// <summary>
    /// Samples <c>gradient_cosine</c>, the same of each group, and the norm of each part, <c>gradient_norm_of_NAME</c>. Without dropout, so
    /// that chance has no part in it. Where there are not two parts there is nothing to compare.
    /// </summary>
    internal void Measure(IReadOnlyList<PartialLoss> parts, IDictionary<string, double> report)
    {
        if (parts.Count != 2)
            return;
        Backward(parts[0]);
        Dictionary<string, float[]> first = parameters.ToDictionary(item => item.Key, item => item.Value.Grad!.Span.ToArray());
        Clear();
        Backward(parts[1]);
        Dictionary<string, Sums> groups = [];
        foreach ((string name, Tensor parameter) in parameters)
            foreach (string group in new[] { "", "_" + ParameterGroups.Of(name) })
            {
                if (!groups.TryGetValue(group, out Sums? sums))
                    groups[group] = sums = new Sums();
                ReadOnlySpan<float> second = parameter.Grad!.Span;
                sums.Dot += TensorPrimitives.Dot(first[name], second);
                sums.First += TensorPrimitives.SumOfSquares(first[name]);
                sums.Second += TensorPrimitives.SumOfSquares(second);
            }
        Clear();
        foreach ((string group, Sums sums) in groups)
            report.Sample("gradient_cosine" + group, sums.Cosine);
        report.Sample("gradient_norm_of_" + parts[0].Name, Math.Sqrt(groups[""].First));
        report.Sample("gradient_norm_of_" + parts[1].Name, Math.Sqrt(groups[""].Second));
    }

    private void Backward(PartialLoss part)
    {
        compute.Arena.Reset();
        compute.Tape = new Tape();
        compute.Backward(part.Compute(compute));
        compute.Tape = null;
    }

    private void Clear()
    {
        foreach (Tensor parameter in parameters.Values)
            parameter.Grad!.Span.Clear();
    }
}
