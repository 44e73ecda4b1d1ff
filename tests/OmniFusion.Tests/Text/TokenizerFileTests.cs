using System.Text.Json.Nodes;
using OmniFusion.Text;

namespace OmniFusion.Tests.Text;

/// <summary>Pipelines written by hand, for components that the tiny tokenizers lack, and files that cannot be used.</summary>
public sealed class TokenizerFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("omnifusion-tokenizer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("""{"type":"Split","pattern":{"String":"-"},"behavior":"Removed"}""", "a-b--c", "a|b|c")]
    [InlineData("""{"type":"Split","pattern":{"String":"-"},"behavior":"Isolated"}""", "a-b--c", "a|-|b|-|-|c")]
    [InlineData("""{"type":"Split","pattern":{"String":"-"},"behavior":"MergedWithPrevious"}""", "-a-b--c", "-|a-|b-|-|c")]
    [InlineData("""{"type":"Split","pattern":{"String":"-"},"behavior":"MergedWithNext"}""", "a-b--c-", "a|-b|-|-c|-")]
    [InlineData("""{"type":"Split","pattern":{"String":"-"},"behavior":"Contiguous"}""", "a-b--c", "a|-|b|--|c")]
    [InlineData("""{"type":"Split","pattern":{"Regex":"\\p{L}"},"behavior":"Removed","invert":true}""", "a-b𝒜c", "a|b|𝒜|c")]
    [InlineData("""{"type":"Digits","individual_digits":true}""", "a12b", "a|1|2|b")]
    [InlineData("""{"type":"Digits","individual_digits":false}""", "a12b", "a|12|b")]
    [InlineData("""{"type":"Punctuation","behavior":"Isolated"}""", "a,b!$c", "a|,|b|!|$|c")]
    [InlineData("""{"type":"WhitespaceSplit"}""", " a  b,\tc", "a|b,|c")]
    [InlineData("""{"type":"Whitespace"}""", " a  b,\tc", "a|b|,|c")]
    [InlineData("""{"type":"Metaspace","replacement":"_","prepend_scheme":"always"}""", "a b  c", "_a|_b|_|_c")]
    [InlineData("""{"type":"Metaspace","replacement":"_","prepend_scheme":"first"}""", "a b<x>c", "_a|_b|<x>|c")]
    [InlineData("""{"type":"Metaspace","replacement":"_","prepend_scheme":"never","split":false}""", "a b", "a_b")]
    [InlineData("""{"type":"Metaspace","replacement":"_","add_prefix_space":true}""", "a<x>b", "_a|<x>|_b")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":true,"use_regex":true}""", "I'm 12", "ĠI|'m|Ġ12")]
    [InlineData(
        """{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Digits","individual_digits":true}]}""", "a1 2", "a|1|2")]
    public void Pre_tokenizers_cut(string preTokenizer, string text, string expected)
    {
        // With ignore_merges each word that is in the vocabulary is one token, so the tokens show the words.
        string[] words = [.. expected.Split('|').Where(w => w != "<x>")];
        JsonObject json = Minimal();
        json["pre_tokenizer"] = JsonNode.Parse(preTokenizer);
        json["model"]!["ignore_merges"] = true;
        json["model"]!["vocab"] = Vocabulary(words);
        json["added_tokens"] = JsonNode.Parse("""[{"id":50,"content":"<x>","special":true}]""");
        Tokenizer tokenizer = Load(json);
        Assert.Equal(expected, string.Join('|', tokenizer.Encode(text, addSpecialTokens: false).Select(tokenizer.TokenText)));
    }

    [Theory]
    [InlineData("""{"type":"Lowercase"}""", "ÀB", "àb")]
    [InlineData("""{"type":"Strip"}""", "  ab ", "ab")]
    [InlineData("""{"type":"Strip","strip_left":false,"strip_right":true}""", " ab ", " ab")]
    [InlineData("""{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"}]}""", "é", "e")]
    [InlineData("""{"type":"NFKC"}""", "ﬁ①", "fi1")]
    [InlineData("""{"type":"NFKD"}""", "ﬁ", "fi")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"a+"},"content":"$0"}""", "xaay", "x$0y")]
    [InlineData("""{"type":"ByteLevel"}""", "é ", "Ã©Ġ")]
    [InlineData("""{"type":"Prepend","prepend":"_"}""", "", "")]
    public void Normalizers_change_the_text(string normalizer, string text, string expected)
    {
        JsonObject json = Minimal();
        json["normalizer"] = JsonNode.Parse(normalizer);
        json["model"]!["vocab"] = Vocabulary(expected.Select(c => c.ToString()));
        Tokenizer tokenizer = Load(json);
        Assert.Equal(expected, string.Concat(tokenizer.Encode(text, addSpecialTokens: false).Select(tokenizer.TokenText)));
    }

    [Theory]
    [InlineData("""{"type":"Metaspace","replacement":"_","prepend_scheme":"always"}""", "_a _b", "a b")]
    [InlineData("""{"type":"Metaspace","replacement":"_","prepend_scheme":"never"}""", "_a _b", " a b")]
    [InlineData("""{"type":"Strip","content":"_","start":1,"stop":1}""", "__a_ _b", "_ab")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"}]}""", "<0xC3> <0xA9> a <0xC3>", "éa\uFFFD")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"_+"},"content":"-"}""", "__a", "-a")]
    public void Decoders_join_the_tokens(string decoder, string tokens, string expected)
    {
        string[] list = tokens.Split(' ');
        JsonObject json = Minimal();
        json["decoder"] = JsonNode.Parse(decoder);
        json["model"]!["ignore_merges"] = true;
        json["model"]!["vocab"] = Vocabulary(list);
        Tokenizer tokenizer = Load(json);
        Assert.Equal(expected, tokenizer.Decode([.. list.Select(t => tokenizer.TokenId(t)!.Value)], skipSpecialTokens: false));
    }

    [Fact]
    public void Added_tokens_are_found_by_their_flags()
    {
        JsonObject json = Minimal();
        json["normalizer"] = JsonNode.Parse("""{"type":"Lowercase"}""");
        json["added_tokens"] = JsonNode.Parse("""
            [{"id":50,"content":"<l>","lstrip":true},{"id":51,"content":"<r>","rstrip":true},{"id":52,"content":"ab","single_word":true},
             {"id":53,"content":"<l>x"},{"id":54,"content":"NORM","normalized":true}]
            """);
        json["model"]!["vocab"] = JsonNode.Parse("""{"a":0,"b":1," ":2,"x":3}""");
        Tokenizer tokenizer = Load(json);
        int[] Encode(string text) => tokenizer.Encode(text, addSpecialTokens: false);
        Assert.Equal([0, 50, 2, 1], Encode("a  <l> b"));
        Assert.Equal([0, 2, 51, 1], Encode("a <r>  b"));
        Assert.Equal([52, 2, 0, 1, 1], Encode("ab abb"));
        Assert.Equal([53], Encode("<l>x"));
        Assert.Equal([54, 0], Encode("noRma"));
    }

    [Fact]
    public void Unknown_characters_become_the_unknown_token_fused_or_not()
    {
        JsonObject json = Minimal();
        json["model"]!["vocab"] = JsonNode.Parse("""{"a":0,"<unk>":1}""");
        Assert.Equal([0, 0], Load(json).Encode("axya", addSpecialTokens: false));
        json["model"]!["unk_token"] = "<unk>";
        Assert.Equal([0, 1, 1, 0], Load(json).Encode("axya", addSpecialTokens: false));
        json["model"]!["fuse_unk"] = true;
        Assert.Equal([0, 1, 0], Load(json).Encode("axya", addSpecialTokens: false));
    }

    [Fact]
    public void Merges_follow_their_rank_and_then_their_place()
    {
        JsonObject json = Minimal();
        json["model"]!["vocab"] = JsonNode.Parse("""{"a":0,"b":1,"c":2,"bc":3,"ab":4,"aa":5,"abc":6}""");
        json["model"]!["merges"] = JsonNode.Parse("""["b c","a b","a a","a bc"]""");
        Tokenizer tokenizer = Load(json);
        Assert.Equal([6], tokenizer.Encode("abc", addSpecialTokens: false));
        Assert.Equal([4, 1], tokenizer.Encode("abb", addSpecialTokens: false));
        Assert.Equal([5, 5, 0], tokenizer.Encode("aaaaa", addSpecialTokens: false));
        Assert.Equal(Enumerable.Repeat(5, 50_000), tokenizer.Encode(new string('a', 100_000), addSpecialTokens: false));
    }

    [Fact]
    public void The_words_of_a_text_without_pre_tokenizer_are_cut_only_where_no_token_goes_across()
    {
        JsonObject json = Minimal();
        json["model"]!["vocab"] = JsonNode.Parse("""{"▁":0,"a":1,"▁a":2,"▁▁":3}""");
        json["model"]!["merges"] = JsonNode.Parse("""["▁ ▁","▁ a"]""");
        Assert.Equal([2, 2, 3, 1, 0], Load(json).Encode("▁a▁a▁▁a▁", addSpecialTokens: false));
        json["model"]!["vocab"]!["a▁"] = 4;
        json["model"]!["merges"] = JsonNode.Parse("""["a ▁","▁ a"]""");
        Assert.Equal([0, 4, 1], Load(json).Encode("▁a▁a", addSpecialTokens: false));
    }

    [Fact]
    public void A_template_puts_its_tokens_around_the_text()
    {
        JsonObject json = Minimal();
        json["model"]!["vocab"] = JsonNode.Parse("""{"a":0,"<s>":1,"</s>":2}""");
        json["post_processor"] = JsonNode.Parse("""
            {"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing",
             "single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},
                       {"SpecialToken":{"id":"</s>","type_id":0}}],
             "special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]},"</s>":{"id":"</s>","ids":[2],"tokens":["</s>"]}}}]}
            """);
        Assert.Equal([1, 0, 2], Load(json).Encode("a", addSpecialTokens: true));
        Assert.Equal([0], Load(json).Encode("a", addSpecialTokens: false));

        File.WriteAllText(
            Path.Combine(_folder, "tokenizer_config.json"),
            """
            {"tokenizer_class":"LlamaTokenizer","add_bos_token":false,"add_eos_token":true,
             "bos_token":"<s>","eos_token":{"content":"</s>"}}
            """);
        Tokenizer llama = Load(json);
        Assert.Equal([0, 2], llama.Encode("a", addSpecialTokens: true));
        Assert.Equal((1, 2), (llama.BosId, llama.EosId));
        Assert.Equal([1], llama.Encode("<s>", addSpecialTokens: false));
    }

    [Theory]
    [InlineData("model", "null", "no model")]
    [InlineData("model", """{"type":"Unigram","vocab":[]}""", "'Unigram'")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0}}""", "merges")]
    [InlineData("model", """{"type":"BPE","merges":[]}""", "vocab")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0},"merges":["a b"]}""", "'b'")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}""", "'ab'")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0},"merges":["a b c"]}""", "merge 0")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0,"<s>":1,"aa":2},"merges":[]}""", "'aa'")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":-1},"merges":[]}""", "-1")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":9999999999},"merges":[]}""", "9999999999")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":2147483647},"merges":[]}""", "2147483647")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":"x"},"merges":[]}""", "'a'")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"<u>"}""", "<u>")]
    [InlineData("model", "[]", "tokenizer.json")]
    [InlineData("normalizer", """{"type":"Precompiled"}""", "normalizer 'Precompiled'")]
    [InlineData("normalizer", "{}", "type")]
    [InlineData("pre_tokenizer", """{"type":"BertPreTokenizer"}""", "pre-tokenizer 'BertPreTokenizer'")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"}""", "tokenizer.json")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"String":"-"},"behavior":"Sideways"}""", "Sideways")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace","replacement":"__"}""", "replacement")]
    [InlineData("decoder", """{"type":"WordPiece"}""", "decoder 'WordPiece'")]
    [InlineData("post_processor", """{"type":"BertProcessing"}""", "post-processor 'BertProcessing'")]
    [InlineData("added_tokens", """[{"id":1}]""", "tokenizer.json")]
    [InlineData("added_tokens", "7", "tokenizer.json")]
    public void A_file_that_cannot_be_used_is_named_with_its_fault(string key, string value, string named)
    {
        JsonObject json = Minimal();
        json[key] = JsonNode.Parse(value);
        string message = Assert.Throws<OmniFusionException>(() => Load(json)).Message;
        Assert.Contains("tokenizer.json", message, StringComparison.Ordinal);
        Assert.Contains(named, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_or_damaged_file_is_named()
    {
        Assert.Contains("no tokenizer.json", Message(), StringComparison.Ordinal);
        foreach (string text in (string[])["", "{", "[]", "\u0000", """{"model":"""])
        {
            File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), text);
            Assert.Contains("tokenizer.json", Message(), StringComparison.Ordinal);
        }
        File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), Minimal().ToJsonString());
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), "{");
        Assert.Contains("tokenizer_config.json", Message(), StringComparison.Ordinal);
        string Message() => Assert.Throws<OmniFusionException>(() => Tokenizer.Load(_folder)).Message;
    }

    [Fact]
    public void Ids_without_a_token_are_left_out_of_the_text_and_refused_by_name()
    {
        Tokenizer tokenizer = Load(Minimal());
        Assert.Equal("a", tokenizer.Decode([0, 77, -1, int.MaxValue], skipSpecialTokens: false));
        Assert.Throws<OmniFusionException>(() => tokenizer.TokenText(77));
        Assert.Throws<OmniFusionException>(() => tokenizer.TokenText(-1));
    }

    private static JsonObject Vocabulary(IEnumerable<string> tokens) =>
        new(tokens.Distinct().Select((token, id) => KeyValuePair.Create(token, (JsonNode?)JsonValue.Create(id))));

    private static JsonObject Minimal() =>
        JsonNode.Parse("""{"added_tokens":[],"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}""")!.AsObject();

    private Tokenizer Load(JsonObject json)
    {
        File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), json.ToJsonString());
        return Tokenizer.Load(_folder);
    }
}
