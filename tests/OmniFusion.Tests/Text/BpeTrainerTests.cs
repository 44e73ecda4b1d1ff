using System.Text;
using FsCheck;
using FsCheck.Fluent;
using OmniFusion.Text;

namespace OmniFusion.Tests.Text;

public sealed class BpeTrainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("omnifusion-bpe-").FullName;

    // Sentences by a small grammar: enough repetition for a vocabulary, and nobody's text.
    private static readonly string[] Lines =
    [
        .. from who in (string[])["A man", "Two girls", "The dog", "An old woman", "Ein Mädchen", "Der Hund"]
           from does in (string[])["is walking", "plays", "runs quickly", "läuft", "was sleeping"]
           from place in (string[])["in the park.", "on a beach, alone.", "near 12 red houses!", "über die Straße.", "with 3 friends"]
           select $"{who} {does} {place}",
    ];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Byte_level_vocabulary_has_the_size_and_the_layout()
    {
        Tokenizer tokenizer = ByteLevel("a", 380);
        Assert.Equal(380, tokenizer.VocabularySize);
        int first = 380 - BpeTrainer.ThinkerSpecialTokens.Count;
        Assert.Equal(Enumerable.Range(first, 380 - first), BpeTrainer.ThinkerSpecialTokens.Select(t => tokenizer.TokenId(t)!.Value));
        Assert.Equal((0, 255), (tokenizer.TokenId("!"), tokenizer.TokenId("Ń")));
        Assert.Equal((tokenizer.TokenId("<|im_end|>"), tokenizer.TokenId("<|endoftext|>")), (tokenizer.EosId, tokenizer.PadId));
        Assert.Null(tokenizer.BosId);
        Assert.True(tokenizer.Encode(Lines[0], addSpecialTokens: true).Length < Lines[0].Length / 2);
    }

    [Fact]
    public void Sentence_piece_vocabulary_has_the_size_and_the_layout()
    {
        Tokenizer tokenizer = SentencePiece("a", 400);
        Assert.Equal(400, tokenizer.VocabularySize);
        Assert.Equal((0, 1, 2), (tokenizer.UnknownId, tokenizer.BosId, tokenizer.EosId));
        Assert.Equal((3, 258), (tokenizer.TokenId("<0x00>"), tokenizer.TokenId("<0xFF>")));
        Assert.NotNull(tokenizer.TokenId("▁the"));
        int[] ids = tokenizer.Encode(Lines[0], addSpecialTokens: true);
        Assert.Equal(1, ids[0]);
        Assert.True(ids.Length < Lines[0].Length / 2);
        for (int id = 259; id < 400; id++)
            Assert.True(tokenizer.TokenText(id).LastIndexOf('▁') <= 0);
    }

    [Fact]
    public void Training_twice_gives_the_same_files()
    {
        ByteLevel("a", 380);
        ByteLevel("b", 380);
        SentencePiece("c", 380);
        SentencePiece("d", 380, Lines.Reverse());
        foreach (string file in (string[])["tokenizer.json", "tokenizer_config.json"])
        {
            Assert.Equal(Bytes("a", file), Bytes("b", file));
            Assert.Equal(Bytes("c", file), Bytes("d", file));
        }
    }

    [Fact]
    public void The_commonest_pair_is_joined_first_and_ties_go_to_the_lower_ids()
    {
        BpeTrainer.TrainByteLevel(["cd", "cd", "ab", "ab", "xyz", "xyz", "xyz"], 258, [], Path.Combine(_folder, "t"));
        Tokenizer tokenizer = Tokenizer.Load(Path.Combine(_folder, "t"));
        Assert.Equal(("xy", "xyz"), (tokenizer.TokenText(256), tokenizer.TokenText(257)));
        BpeTrainer.TrainByteLevel(["cd", "cd", "ab", "ab"], 258, [], Path.Combine(_folder, "t"));
        tokenizer = Tokenizer.Load(Path.Combine(_folder, "t"));
        Assert.Equal(("ab", "cd"), (tokenizer.TokenText(256), tokenizer.TokenText(257)));
    }

    [Fact]
    public void A_tokenizer_that_is_not_whole_does_not_look_whole()
    {
        // A folder stands where a file should.
        string folder = Path.Combine(_folder, "torn");
        Directory.CreateDirectory(Path.Combine(folder, "tokenizer_config.json"));
        Assert.Throws<OmniFusionException>(() => BpeTrainer.TrainByteLevel(["ab", "ab"], 257, [], folder));
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public void Any_text_survives_the_byte_level_tokenizer()
    {
        Tokenizer tokenizer = ByteLevel("a", 380);
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(AnyText(), text =>
        {
            string expected = UnicodeNormalizer.Normalize(WellFormed(text), NormalizationForm.FormC);
            int[] ids = tokenizer.Encode(text, addSpecialTokens: false);
            return expected == tokenizer.Decode(ids, skipSpecialTokens: false) && expected == Streamed(tokenizer, ids);
        }));
    }

    [Fact]
    public void Any_text_survives_the_sentence_piece_tokenizer()
    {
        Tokenizer tokenizer = SentencePiece("a", 400);
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(AnyText(), text =>
        {
            string expected = WellFormed(text).Replace('▁', ' ');
            int[] ids = tokenizer.Encode(text, addSpecialTokens: true);
            return expected == tokenizer.Decode(ids, skipSpecialTokens: true) && expected == Streamed(tokenizer, ids);
        }));
    }

    [Fact]
    public void A_stream_of_any_ids_equals_decoding_at_once()
    {
        foreach (Tokenizer tokenizer in (Tokenizer[])[ByteLevel("a", 380), SentencePiece("b", 400)])
            Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Gen.ArrayOf(Gen.Choose(0, 402)).ToArbitrary(), ids =>
                tokenizer.Decode(ids, skipSpecialTokens: true) == Streamed(tokenizer, ids)));
    }

    [Fact]
    public void A_stream_holds_back_incomplete_characters()
    {
        Tokenizer tokenizer = ByteLevel("a", 300);
        TokenStream stream = new(tokenizer);
        int[] ids = tokenizer.Encode("a😀b", addSpecialTokens: false);
        Assert.Equal(["a", "", "", "", "😀", "b"], ids.Select(stream.Push));
        Assert.Equal("", stream.Finish());
        stream.Push(ids[1]);
        Assert.Equal("\uFFFD", stream.Finish());
    }

    [Fact]
    public void Special_tokens_in_the_training_text_are_never_learned_as_ordinary_ones()
    {
        string[] lines = [.. Enumerable.Repeat("abc", 50)];
        string folder = Path.Combine(_folder, "a");
        BpeTrainer.TrainByteLevel(lines, 258, ["abc"], folder);
        Tokenizer tokenizer = Tokenizer.Load(folder);
        Assert.Equal((258, "ab", "abc"), (tokenizer.VocabularySize, tokenizer.TokenText(256), tokenizer.TokenText(257)));
        Assert.Contains("yields only", Message(() => BpeTrainer.TrainByteLevel(lines, 259, ["abc"], folder)), StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_that_cannot_be_are_refused()
    {
        string folder = Path.Combine(_folder, "x");
        Assert.Contains("too small", Message(() => BpeTrainer.TrainByteLevel(Lines, 200, [], folder)), StringComparison.Ordinal);
        Assert.Contains("too small", Message(() => BpeTrainer.TrainSentencePiece(Lines, -5, folder)), StringComparison.Ordinal);
        Assert.Contains("yields only", Message(() => BpeTrainer.TrainByteLevel(Lines, 100_000, [], folder)), StringComparison.Ordinal);
        Assert.Contains("yields only", Message(() => BpeTrainer.TrainSentencePiece([], 1000, folder)), StringComparison.Ordinal);
        Assert.Contains("twice", Message(() => BpeTrainer.TrainByteLevel(Lines, 300, ["<a>", "<a>"], folder)), StringComparison.Ordinal);
    }

    private static string Message(Action action) => Assert.Throws<OmniFusionException>(action).Message;

    private static Arbitrary<string> AnyText() =>
        Gen.OneOf(
            Gen.ArrayOf(Gen.Choose(0, 0xFFFF)).Select(units => string.Concat(units.Select(unit => (char)unit))),
            Gen.ArrayOf(Gen.Elements([.. "aäß ▁.\n\t1é\u0301中\u11ab\ud83d\ude00<0x41>"])).Select(chars => new string(chars))).ToArbitrary();

    private static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static string Streamed(Tokenizer tokenizer, int[] ids)
    {
        TokenStream stream = new(tokenizer);
        return string.Concat(ids.Select(stream.Push)) + stream.Finish();
    }

    private byte[] Bytes(string folder, string file) => File.ReadAllBytes(Path.Combine(_folder, folder, file));

    private Tokenizer ByteLevel(string name, int size)
    {
        BpeTrainer.TrainByteLevel(Lines, size, BpeTrainer.ThinkerSpecialTokens, Path.Combine(_folder, name));
        return Tokenizer.Load(Path.Combine(_folder, name));
    }

    private Tokenizer SentencePiece(string name, int size, IEnumerable<string>? lines = null)
    {
        BpeTrainer.TrainSentencePiece(lines ?? Lines, size, Path.Combine(_folder, name));
        return Tokenizer.Load(Path.Combine(_folder, name));
    }
}
