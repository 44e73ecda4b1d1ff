using OmniFusion.Training;

namespace OmniFusion.Tests.Training;

public sealed class BatchesTests
{
    private const int Seed = 5;
    private const double Capacity = 20;

    private static readonly double[] s_costs = [.. Enumerable.Range(0, 100).Select(i => 1 + i * 37 % 11 / 2.0)];

    [Fact]
    public void TheBatchOfAStepDoesNotDependOnTheOrderOfAsking()
    {
        Batches forward = new(s_costs, Capacity, Seed);
        int[][] expected = [.. Enumerable.Range(1, 60).Select(forward.At)];
        Assert.True(forward.Epoch > 2);
        int[] order = [.. Enumerable.Range(1, 60)];
        new Random(1).Shuffle(order);
        Batches shuffled = new(s_costs, Capacity, Seed);
        Assert.All(order, number => Assert.Equal(expected[number - 1], shuffled.At(number)));
        Assert.Equal(expected[59], new Batches(s_costs, Capacity, Seed).At(60));
    }

    [Fact]
    public void APassHasEachItemOnceInBatchesThatHoldNoMoreThanTheyMay()
    {
        Batches batches = new(s_costs, Capacity, Seed);
        List<int[]>[] passes = [[], [], []];
        for (int number = 1; ; number++)
        {
            int[] batch = batches.At(number);
            if (batches.Epoch > 3)
                break;
            passes[batches.Epoch - 1].Add(batch);
        }
        Assert.All(passes, pass =>
        {
            Assert.Equal(Enumerable.Range(0, 100), pass.SelectMany(batch => batch).Order());
            Assert.All(pass, batch => Assert.InRange(batch.Sum(item => s_costs[item]), 0, Capacity));
            // Full enough: two neighbours in length would not fit into one.
            Assert.InRange(pass.Count, s_costs.Sum() / Capacity, 1.6 * s_costs.Sum() / Capacity);
        });
        Assert.NotEqual(passes[0].SelectMany(batch => batch), passes[1].SelectMany(batch => batch));
        Batches other = new(s_costs, Capacity, Seed + 1);
        Assert.NotEqual(Enumerable.Range(1, 9).SelectMany(batches.At), Enumerable.Range(1, 9).SelectMany(other.At));
    }

    [Fact]
    public void AnItemThatIsTooLargeForABatchIsOneByItself()
    {
        Batches batches = new([3, 50, 3], 10, Seed);
        int[][] dealt = [batches.At(1), batches.At(2)];
        Assert.Equal([1], dealt.Single(batch => batch.Length == 1));
        Assert.Equal([0, 2], dealt.Single(batch => batch.Length == 2).Order());
    }

    [Fact]
    public void NothingCannotBeDealt() => Assert.Throws<OmniFusionException>(() => new Batches([], Capacity, Seed));
}
