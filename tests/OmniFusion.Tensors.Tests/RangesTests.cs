namespace OmniFusion.Tensors.Tests;

public unsafe class RangesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void More_elements_than_an_int_counts_are_all_shared_out(int threads)
    {
        const long Count = 5_000_000_003;
        long elements = 0, squares = 0;
        new CpuKernels(threads).Each(new Seen { Elements = &elements, Squares = &squares }, Count, 1);
        Assert.Equal(Count, elements);
        Assert.Equal(unchecked(Count * Count), squares);
    }

    // Ranges with a gap or an overlap cannot have both sums right.
    private struct Seen : IRange
    {
        public long* Elements, Squares;

        public readonly void Run(long from, long to)
        {
            Interlocked.Add(ref *Elements, to - from);
            Interlocked.Add(ref *Squares, to * to - from * from);
        }
    }
}
