using OmniFusion.Media;
using OmniFusion.Models;
using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Tests.Simultaneous;
using OmniFusion.Training;
using OmniFusion.Training.Examples;

namespace OmniFusion.Tests.Training;

/// <summary>Speech that breaks off, and what of its translation follows from the rest, with the shipped model.</summary>
public sealed class BeginningsTests
{
    private const string Said = "Two boys are building a tall tower out of cardboard boxes in the garage.";

    private readonly OmniFusionModel _model = Sounds.Nano;
    private readonly LogMel _logMel = new();

    [Fact]
    public void Speech_breaks_off_within_the_word_that_follows_the_answer()
    {
        float[] mel = MelOf("garage");
        string[] words = Said.TrimEnd('.').Split(' ');
        double[] places = [.. Enumerable.Range(0, 26).Select(i => i / 26.0 + 0.001)];
        Example[] cut = Cut([.. places.Select(place => new Example { Mel = mel, Answer = Said, Told = Said, BreaksOff = place })]);
        for (int i = 0; i < cut.Length; i++)
        {
            // Fourteen words, and two places in each but the first.
            int heard = 1 + i / 2;
            Assert.Equal(string.Join(' ', words[..heard]), cut[i].Answer);
            Assert.Equal((Said, null), (cut[i].Whole, cut[i].Told));
            string letters = string.Concat(cut[i].Letters!.Select(letter => CtcHead.Characters[letter - 1]));
            Assert.StartsWith(letters, Said, StringComparison.OrdinalIgnoreCase);
            Assert.InRange(letters.Length, cut[i].Answer.Length, cut[i].Answer.Length + 1 + words[heard].Length);
            Assert.Equal(mel[..cut[i].Mel!.Length], cut[i].Mel);
            Assert.True(i == 0 || cut[i].Mel!.Length > cut[i - 1].Mel!.Length);
        }
        Assert.InRange(cut[0].Mel!.Length, 1, mel.Length / 6);
        Assert.InRange(cut[^1].Mel!.Length, mel.Length * 3 / 4, mel.Length - 1);
    }

    [Fact]
    public void What_is_not_to_break_off_and_a_single_word_stay_as_they_are()
    {
        float[] mel = MelOf("ducks");
        Example[] batch =
        [
            new() { Mel = mel, Answer = Said }, new() { Mel = mel, Answer = "Seven.", BreaksOff = 0.5 },
            new() { Text = Said, Answer = Said, BreaksOff = 0.5 }, new() { Mel = mel[..(4 * _logMel.Bins)], Answer = Said, BreaksOff = 0.5 },
        ];
        Assert.Equal(batch, Cut(batch));
    }

    [Theory]
    [InlineData("Two boys", "Zwei Jungen")]
    [InlineData("Two boys are building a", "Zwei Jungen bauen")]
    [InlineData("Two boys are building a tall tower in", "Zwei Jungen bauen einen hohen Turm")]
    [InlineData("Nobody", "")]
    public void Of_a_translation_that_is_kept_which_follows_from_the_beginning(string begun, string kept)
    {
        int[] target = TextPairs.Target(_model.TranslatorTokenizer, "Zwei Jungen bauen einen hohen Turm aus Kartons.");
        TranslationBeginnings beginnings = new(_model.Parts.Translator, _model.TranslatorTokenizer);
        int[][] found = beginnings.Of(_model.CreateCompute(),
            [("Two boys are building a tall tower out of cardboard boxes.", begun, "de", target), (Said, Said, "de", target)]);
        Assert.Equal(target[^1], found[0][^1]);
        Assert.Equal(target[..(found[0].Length - 1)], found[0][..^1]);
        Assert.Equal(kept, _model.TranslatorTokenizer.Decode(found[0], skipSpecialTokens: true));
        // No more is known of the end than of any place before it.
        Assert.Equal("Zwei Jungen bauen einen hohen Turm aus", _model.TranslatorTokenizer.Decode(found[1], skipSpecialTokens: true));
    }

    private Example[] Cut(Example[] batch) =>
        new SpeechBeginnings(_model.Parts.Thinker, _model.Recognizer!, _logMel.Bins).Cut(_model.CreateCompute(), batch);

    private float[] MelOf(string name) => _logMel.Compute(Sounds.Speech(name));
}
