namespace OmniFusion.Tensors.Tests;

public class OpsShapesTests
{
    private readonly Compute _c = new(new CpuKernels(1));

    [Fact]
    public void Tensors_that_do_not_fit_are_refused()
    {
        CacheRows rows = new();
        rows.Add(0, 2, [4]);
        Func<object?>[] calls =
        [
            () => _c.SwiGlu(Of(2, 3), Of(2, 4)),
            () => _c.RmsNorm(Of(2, 3), Of(4), 1e-6f),
            () => _c.LayerNorm(Of(2, 3), Of(3), Of(2), 1e-6f),
            () => _c.LayerNorm(Of(2, 3), Of(2), Of(3), 1e-6f),
            () => _c.WeightedSum(Of(1, 2), Of(2, 3), Of(1, 3)),
            () => _c.WeightedSum(Of(1, 2), Of(2, 3)),
            () => _c.WeightedSum(Of(3, 1), Of(2, 3)),
            () => _c.WeightedSum(Of(1, 1)),
            () => _c.RowDots(Of(2, 3), 1, Of(2, 3), Of(1, 3)),
            () => _c.ConcatColumns(Of(2, 3), Of(3, 3)),
            () => _c.Gather(Of(2, 3), new[] { 0, -1 }),
            () => _c.Gather(Of(2, 3), new[] { 0, 2 }),
            () => _c.Interleave(Of(2, 3), new[] { 0, -1 }, Of(2, 3), new[] { 0, -1 }),
            () => _c.Conv1d(Of(4, 3), new Segments(4), Of(5, 2, 3), null, 1, 1, out _),
            () => _c.Conv1d(Of(4, 2), new Segments(5), Of(5, 2, 3), null, 1, 1, out _),
            () => _c.MeanPool(Of(4, 2), new Segments(5), 2, out _),
            () => _c.CachedAttention(Of(1, 2), Of(4, 2), Of(4, 2), rows, 1, 1, 1),
            () => _c.CachedAttention(Of(1, 2), Of(5, 2), Of(4, 2), rows, 1, 1, 1),
        ];
        for (int i = 0; i < calls.Length; i++)
            Assert.True(Record.Exception(() => calls[i]()) is ArgumentException, $"call {i}");
    }

    [Fact]
    public void Too_few_rows_for_a_window_make_none()
    {
        Tensor y = _c.Conv1d(Of(1, 2), new Segments(1), Of(5, 2, 3), null, stride: 4, padding: 0, out Segments output);
        Assert.Equal((0, 0), (output.Rows, y.Rows));
    }

    [Fact]
    public void Attention_over_a_cache_is_not_trained()
    {
        CacheRows rows = new();
        rows.Add(0, 2);
        _c.Tape = new Tape();
        Assert.Throws<InvalidOperationException>(() => _c.CachedAttention(Of(1, 2).RequireGrad(), Of(2, 2), Of(2, 2), rows, 1, 1, 1));
    }

    [Fact]
    public void Rows_of_a_cache_are_not_negative()
    {
        CacheRows rows = new();
        Assert.Throws<ArgumentOutOfRangeException>(() => rows.Add(-1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => rows.Add(0, -2));
        Assert.Throws<ArgumentOutOfRangeException>(() => rows.Add(0, 2, [-1]));
    }

    private static Tensor Of(params ReadOnlySpan<int> sizes) => Tensor.Zeros(new Shape(sizes));
}
