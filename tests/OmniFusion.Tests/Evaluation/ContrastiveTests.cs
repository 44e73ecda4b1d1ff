using OmniFusion.Evaluation;
using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Tests.Models;

namespace OmniFusion.Tests.Evaluation;

public sealed class ContrastiveTests : IDisposable
{
    private static readonly TranslationOptions s_small = new() { ImageSize = new ImageSize(112, 84), BatchSize = 4 };

    private readonly string _folder = Directory.CreateTempSubdirectory("omnifusion-contrastive-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Lines_belong_together_and_neighbours_share_a_sentence()
    {
        ContrastiveSet set = Write();
        Assert.Equal(4, set.Items.Count);
        Assert.Equal(new ContrastiveItem("A bat.", "Ein Schläger.", "Eine Fledermaus.", Path.Combine(_folder, "images", "slide.png"),
            Path.Combine(_folder, "audio", "bat.wav"), "bat"), set.Items[1]);
        Assert.Equal(set.Items[0], set.Other(1));
        Assert.Equal(2, ContrastiveSet.Read(_folder, "de", sentences: 1).Items.Count);
        Assert.Equal(Path.Combine("elsewhere", "gray.png"), ContrastiveSet.Read(_folder, "de", images: "elsewhere").Items[0].Image);
        File.Delete(Path.Combine(_folder, "words"));
        File.Delete(Path.Combine(_folder, "img.order"));
        Assert.Equal((null, null), (ContrastiveSet.Read(_folder, "de").Items[0].Word, ContrastiveSet.Read(_folder, "de").Items[0].Image));
    }

    [Theory]
    [InlineData("src.en", "A bat.\nA bat.\nA nut.\n", "two for each sentence")]
    [InlineData("src.en", "\n\n", "two for each sentence")]
    [InlineData("src.en", "A bat.\nA cat.\nA nut.\nA nut.\n", "lines 1 and 2")]
    [InlineData("correct.de", "a\nb\n", "2 lines")]
    [InlineData("words", "a\n", "1 lines")]
    public void What_does_not_belong_together_is_refused(string file, string content, string words)
    {
        Write();
        File.WriteAllText(Path.Combine(_folder, file), content);
        string message = Assert.Throws<OmniFusionException>(() => ContrastiveSet.Read(_folder, "de")).Message;
        Assert.Contains(file, message, StringComparison.Ordinal);
        Assert.Contains(words, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_language_that_is_not_there_is_told()
    {
        Write();
        Assert.Contains("correct.fr", Assert.Throws<OmniFusionException>(() => ContrastiveSet.Read(_folder, "fr")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Outcomes_are_counted_by_line_by_sentence_and_by_word()
    {
        ContrastiveSet set = Write();
        // A long translation may be right with a lower sum; equal means are not right.
        CandidateScore good = new("", 10, -10), bad = new("", 2, -4);
        ContrastiveScores scores = ContrastiveEvaluation.Score(set, [new(good, bad), new(bad, good), new(good, bad), new(good, bad)]);
        Assert.Equal((4, 3, 75.0, 50.0, 0.5),
            (scores.Items, scores.Right, scores.Accuracy.Score, scores.BothRight, scores.Margin));
        Assert.Equal([new ContrastiveWord("bat", 2, 1), new ContrastiveWord("nut", 2, 2)], scores.Words);
        Assert.InRange(scores.Accuracy.Lower, 50, 75);
        Assert.False(new ContrastiveOutcome(good, good).IsRight);
    }

    [Fact]
    public async Task Without_a_picture_half_is_right_and_the_wrong_picture_turns_every_answer_round()
    {
        ContrastiveSet set = Write();
        foreach (bool speech in new[] { false, true })
        {
            bool[] none = await Right(new ContrastiveCondition(speech, ContrastiveImage.None));
            bool[] own = await Right(new ContrastiveCondition(speech));
            bool[] wrong = await Right(new ContrastiveCondition(speech, ContrastiveImage.Mismatched));
            Assert.Equal(none.Length / 2, none.Count(right => right));
            for (int i = 0; i < own.Length; i++)
                Assert.Equal(own[i ^ 1], !wrong[i]);
        }

        async Task<bool[]> Right(ContrastiveCondition condition)
        {
            int told = 0;
            IReadOnlyList<ContrastiveOutcome> outcomes = await ContrastiveEvaluation.RunAsync(
                TinyModels.Model, set, "de", condition, s_small, () => told++);
            Assert.Equal(set.Items.Count, told);
            return [.. outcomes.Select(outcome => outcome.IsRight)];
        }
    }

    [Fact]
    public async Task An_outcome_is_what_scoring_the_item_gives()
    {
        ContrastiveSet set = Write();
        ContrastiveOutcome second = (await ContrastiveEvaluation.RunAsync(
            TinyModels.Model, set, "de", new ContrastiveCondition(Speech: true, ContrastiveImage.Mismatched), s_small))[1];
        IReadOnlyList<CandidateScore> scores = await TinyModels.Model.ScoreAsync(
            new() { Audio = Golden.Media("bat.wav"), Image = Golden.Media("gray.png"), TargetLanguage = "de" },
            ["Ein Schläger.", "Eine Fledermaus."], s_small);
        Assert.Equal(scores[0].Mean, second.Correct.Mean, 1e-4);
        Assert.Equal(scores[1].Mean, second.Incorrect.Mean, 1e-4);
    }

    [Fact]
    public async Task A_missing_picture_is_told_before_anything_is_computed()
    {
        ContrastiveSet set = Write();
        File.Delete(Path.Combine(_folder, "images", "gray.png"));
        OmniFusionException error = await Assert.ThrowsAsync<OmniFusionException>(() =>
            ContrastiveEvaluation.RunAsync(TinyModels.Model, set, "de", new ContrastiveCondition(), s_small));
        Assert.Contains("gray.png does not exist", error.Message, StringComparison.Ordinal);
        File.Delete(Path.Combine(_folder, "audio.order"));
        set = ContrastiveSet.Read(_folder, "de");
        error = await Assert.ThrowsAsync<OmniFusionException>(() => ContrastiveEvaluation.RunAsync(
            TinyModels.Model, set, "de", new ContrastiveCondition(true, ContrastiveImage.None), s_small));
        Assert.Contains("no audio.order", error.Message, StringComparison.Ordinal);
    }

    private ContrastiveSet Write()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "images"));
        Directory.CreateDirectory(Path.Combine(_folder, "audio"));
        foreach (string image in new[] { "gray.png", "slide.png" })
            File.Copy(Golden.Media(image), Path.Combine(_folder, "images", image), overwrite: true);
        foreach (string audio in new[] { "bat.wav", "speaker.wav" })
            File.Copy(Golden.Media(audio), Path.Combine(_folder, "audio", audio), overwrite: true);
        foreach ((string name, string[] lines) in new (string, string[])[]
        {
            ("src.en", ["A bat.", "A bat.", "The nut is big.", "The nut is big."]),
            ("correct.de", ["Eine Fledermaus.", "Ein Schläger.", "Die Nuss ist groß.", "Die Mutter ist groß."]),
            ("incorrect.de", ["Ein Schläger.", "Eine Fledermaus.", "Die Mutter ist groß.", "Die Nuss ist groß."]),
            ("img.order", ["gray.png", "slide.png", "gray.png", "slide.png"]),
            ("audio.order", ["bat.wav", "bat.wav", "speaker.wav", "speaker.wav"]),
            ("words", ["bat", "bat", "nut", "nut"]),
        })
            File.WriteAllText(Path.Combine(_folder, name), string.Join('\n', lines) + "\n");
        return ContrastiveSet.Read(_folder, "de");
    }
}
