using OmniFusion.Models;
using OmniFusion.Simultaneous;
using OmniFusion.Text;

namespace OmniFusion.Tests.Simultaneous;

public class TextDecoderTests
{
    private const int Most = 40;

    private static readonly string[] s_sentence = "a man in a blue shirt is standing on a ladder cleaning a window".Split(' ');

    [Fact]
    public async Task Each_step_is_the_offline_translation_of_the_text_so_far()
    {
        using TextDecoder decoder = TextDecoder.Create(Sounds.Nano, "en", "de");
        for (int words = 1; words <= s_sentence.Length; words++)
        {
            string text = string.Join(' ', s_sentence[..words]);
            decoder.SetSource(text, words == s_sentence.Length);
            Hypothesis found = decoder.Write([], Most);
            Translation offline = await Sounds.Nano.TranslateAsync(
                new() { Text = text, TargetLanguage = "de" }, new TranslationOptions { Beams = 1, MaxNewTokens = Most });
            Assert.Equal(offline.Ids, found.Ended ? [.. found.Tokens, 2] : found.Tokens);
        }
        Assert.True(decoder.SourceEnded);
    }

    [Fact]
    public void Source_tokens_that_are_known_are_not_read_again()
    {
        using TextDecoder decoder = TextDecoder.Create(Sounds.Nano, "en", "de");
        decoder.SetSource(string.Join(' ', s_sentence[..10]), ended: false);
        int positions = decoder.SourcePositions;
        decoder.Write([], 1);
        long rows = decoder.Translator.RowsComputed;
        decoder.SetSource(string.Join(' ', s_sentence), ended: true);
        decoder.Write([], 1);
        string text = string.Join(' ', s_sentence);
        int prompt = Sounds.Nano.Reader.ReadSentence(text, Languages.Find("en"), Languages.Find("de")).Length;
        Assert.InRange(decoder.Translator.RowsComputed - rows, prompt - positions - 2, prompt - positions);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Source_positions_are_those_of_the_sentence(bool tiny)
    {
        OmniFusionModel model = tiny ? Sounds.Tiny : Sounds.Nano;
        using TextDecoder decoder = TextDecoder.Create(model, "en", "de");
        Assert.Equal(0, decoder.SourcePositions);
        Assert.Equal([7], decoder.Write([7], 5).Tokens);
        decoder.SetSource("the dog", ended: false);
        int two = decoder.SourcePositions;
        decoder.SetSource("the dog runs on the beach", ended: false);
        Assert.InRange(two, 2, 7);
        Assert.InRange(decoder.SourcePositions, two + 4, 25);
        decoder.SetSource(" ", ended: true);
        Assert.Equal(0, decoder.SourcePositions);
    }

    [Fact]
    public void A_finished_decoder_says_so()
    {
        TextDecoder decoder = TextDecoder.Create(Sounds.Nano, "en", "de");
        decoder.Dispose();
        Assert.Throws<ObjectDisposedException>(() => decoder.SetSource("a", ended: true));
        Assert.Throws<ObjectDisposedException>(() => decoder.Write([], 1));
        Assert.Throws<OmniFusionException>(() => TextDecoder.Create(Sounds.Nano, "Klingon", "de"));
    }
}
