using OmniFusion.Models.Omni;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Models;

public class CtcPathTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("0 0", "")]
    [InlineData("3", "0+1=3")]
    [InlineData("0 3 3 0 3 0", "1+2=3 4+1=3")]
    [InlineData("3 3 5 5 5 0", "0+2=3 2+3=5")]
    public void Runs_of_a_symbol_are_told_and_blanks_are_not(string best, string runs) => Assert.Equal(
        runs, string.Join(' ', CtcPath.Runs([.. best.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)], blank: 0)
            .Select(run => $"{run.First}+{run.Length}={run.Symbol}")));

    [Theory]
    [InlineData("1", 1)]
    [InlineData("1 2", 4)]
    [InlineData("1 1", 5)]
    [InlineData("2 1 2", 6)]
    [InlineData("1 1 1", 5)]
    [InlineData("", 3)]
    public void A_text_is_said_on_the_best_of_all_paths(string text, int frames)
    {
        int[] symbols = [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
        Random random = new(frames);
        for (int trial = 0; trial < 20; trial++)
        {
            Tensor logits = Tensor.Zeros(new Shape(frames + 1, 3));
            foreach (ref float score in logits.Span)
                score = random.NextSingle();
            // Every path there is: a number with a digit of base 3 for each frame.
            int[] best = Enumerable.Range(0, (int)Math.Pow(3, frames)).Select(number => Enumerable.Range(0, frames)
                    .Select(frame => number / (int)Math.Pow(3, frame) % 3).ToArray())
                .Where(path => CtcPath.Runs(path, blank: 0).Select(run => run.Symbol).SequenceEqual(symbols))
                .MaxBy(path => path.Select((symbol, frame) => (double)logits.Row(1 + frame)[symbol]).Sum())!;
            Assert.Equal(CtcPath.Runs(best, blank: 0).Select(run => run.First + run.Length - 1), CtcPath.Align(logits, 1, frames, symbols, blank: 0));
        }
    }

    [Theory]
    [InlineData("1 2", 1)]
    [InlineData("1 1", 2)]
    [InlineData("1", 0)]
    public void A_text_with_too_few_frames_is_said_nowhere(string text, int frames) => Assert.Null(CtcPath.Align(
        Tensor.Zeros(new Shape(3, 3)), 0, frames, [.. text.Split(' ').Select(int.Parse)], blank: 0));

    [Fact]
    public void A_head_spells_one_character_for_a_run()
    {
        int classes = CtcHead.Characters.Length + 1;
        int[] best = [9, .. CtcHead.Encode("ab"), 3, 0, 3, 1, .. CtcHead.Encode("c")];
        Tensor logits = Tensor.Zeros(new Shape(best.Length, classes));
        for (int frame = 0; frame < best.Length; frame++)
            logits.Row(frame)[best[frame]] = 1;
        Assert.Equal("abb c", CtcHead.Decode(logits, 1, best.Length - 1));
    }
}
