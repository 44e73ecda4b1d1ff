namespace OmniFusion.Tensors.Tests;

public class TensorTests
{
    [Fact]
    public void ASpanKeepsWhatItPointsInto()
    {
        // Large, so that memory given back would be taken away.
        Span<float> span = Tensor.Zeros(new Shape(1 << 20)).Span;
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Tensor.Zeros(new Shape(1 << 20)).Span.Fill(1);
        }
        Assert.False(span.ContainsAnyExcept(0f));
    }

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.BF16)]
    [InlineData(DType.F16)]
    public void Rows_are_appended_in_the_stored_type(DType type)
    {
        Tensor table = Tensor.From([1, 2, 3, -4, 0.5f, 6], new Shape(2, 3));
        Tensor stored = type switch { DType.F32 => table, DType.BF16 => table.ToBF16(), _ => table.ToF16() };
        Tensor longer = stored.AppendRows(Tensor.From([7, -0.25f, 9], new Shape(1, 3)), 2);
        Assert.Equal(type, longer.DType);
        Assert.Equal(new Shape(4, 3), longer.Shape);
        Assert.Equal([1, 2, 3, -4, 0.5f, 6, 7, -0.25f, 9, 7, -0.25f, 9], longer.ToF32().Span.ToArray());
    }

    [Fact]
    public void What_is_trained_is_not_extended() => Assert.Throws<InvalidOperationException>(() =>
        Tensor.Zeros(new Shape(2, 3)).RequireGrad().AppendRows(Tensor.Zeros(new Shape(1, 3)), 1));

    [Fact]
    public void Bfloat16_rounds_to_nearest_even()
    {
        // Between two neighbours, 1 and 1 + 2^-7, and between 1 + 2^-7 and 1 + 2^-6: the even one is taken.
        Tensor halfway = Tensor.From([1 + 1 / 256f, 1 + 3 / 256f, float.NaN, float.PositiveInfinity], new Shape(4));
        float[] rounded = halfway.ToBF16().ToF32().Span.ToArray();
        Assert.Equal([1, 1 + 1 / 64f, float.NaN, float.PositiveInfinity], rounded);
    }

    [Fact]
    public void A_tensor_too_large_for_a_span_says_so()
    {
        // Nobody reads the memory that it stands for.
        Tensor large = Tensor.View(new Shape(1 << 16, 1 << 16), DType.F32, 64, new object());
        Assert.Contains("[65536, 65536] is too large", Assert.Throws<InvalidOperationException>(() => large.Span.Length).Message);
        Assert.Contains("[65536, 65536] is too large", Assert.Throws<InvalidOperationException>(() => large.Bytes.Length).Message);
    }

    [Fact]
    public void More_rows_than_can_be_counted_are_refused()
    {
        Assert.Contains("[65536, 65536, 2] has more", Assert.Throws<ArgumentException>(() => new Shape(1 << 16, 1 << 16, 2)).Message);
        Assert.Equal(0, new Shape(1 << 16, 1 << 16, 0).Rows);
        Assert.Equal(int.MaxValue, new Shape(int.MaxValue, int.MaxValue).Rows);
    }

    [Fact]
    public void An_arena_gives_its_memory_again()
    {
        Arena arena = new();
        Arena.Mark start = arena.Position;
        Tensor first = arena.Rent(new Shape(10, 10));
        first.Span.Fill(1);
        Tensor second = arena.Rent(new Shape(10, 10));
        second.Span.Fill(2);
        Tensor kept = arena.Release(start, second);
        Assert.All(kept.Span.ToArray(), value => Assert.Equal(2, value));
        long bytes = arena.Bytes;
        for (int i = 0; i < 100; i++)
        {
            arena.Reset();
            arena.Rent(new Shape(20, 10));
        }
        Assert.Equal(bytes, arena.Bytes);
    }

    [Fact]
    public void Ever_larger_requests_do_not_add_up()
    {
        Arena arena = new();
        Tensor held = arena.Rent(new Shape(100));
        held.Span.Fill(3);
        Arena.Mark mark = arena.Position;
        const int Least = 8_000_000, Step = 250_000, Times = 16;
        for (int i = 0; i <= Times; i++)
        {
            arena.Rent(new Shape(Least + i * Step)).Span[^1] = 1;
            arena.Release(mark);
        }
        Assert.InRange(arena.Bytes, 0, 3L * sizeof(float) * (Least + Times * Step) / 2);
        Assert.All(held.Span.ToArray(), value => Assert.Equal(3, value));
    }

    [Fact]
    public void A_block_that_made_way_leaves_what_others_hold()
    {
        Arena arena = new();
        arena.Rent(new Shape(2_000_000));
        Tensor held = arena.Rent(new Shape(3_000_000));
        held.Span.Fill(3);
        Arena.Mark mark = arena.Position;
        Tensor stale = arena.Rent(new Shape(4_500_000));
        stale.Span.Fill(4);
        arena.Release(mark);
        arena.Rent(new Shape(9_000_000)).Span.Fill(5);
        Assert.False(held.Span.ContainsAnyExcept(3f));
        // Nobody may use it any more, but whoever does finds memory there.
        Assert.False(stale.Span.ContainsAnyExcept(4f));
    }

    [Fact]
    public void A_tensor_larger_than_a_block_gets_its_own()
    {
        Arena arena = new();
        arena.Rent(new Shape(3));
        Tensor large = arena.Rent(new Shape(3_000_000));
        large.Span.Fill(5);
        Arena.Mark mark = arena.Position;
        Tensor moved = arena.Release(mark, arena.Rent(new Shape(4)));
        moved.Span.Fill(1);
        Assert.All(large.Span[^10..].ToArray(), value => Assert.Equal(5, value));
    }
}
