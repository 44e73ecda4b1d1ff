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
