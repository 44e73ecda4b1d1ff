using System.Text.Json;
using OmniFusion.Text;

namespace OmniFusion.Tests.Text;

public sealed class TokenizerGoldenTests
{
    public static TheoryData<string> Cases => ["tokenizer_tiny_omni", "tokenizer_tiny_translator"];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Encodes_and_decodes_as_the_published_tokenizers(string name)
    {
        JsonElement golden = Golden.Load(name).Json;
        Tokenizer tokenizer = Tokenizer.Load(Folder(golden));
        int count = 0;
        foreach (JsonElement item in golden.GetProperty("cases").EnumerateArray())
        {
            string text = item.GetProperty("text").GetString()!;
            int[] ids = Ids(item.GetProperty("ids"));
            Assert.Equal(ids, tokenizer.Encode(text, addSpecialTokens: false));
            if (item.GetProperty("ids_with_special").ValueKind == JsonValueKind.Array)
                Assert.Equal(Ids(item.GetProperty("ids_with_special")), tokenizer.Encode(text, addSpecialTokens: true));
            Assert.Equal(item.GetProperty("decoded").GetString(), tokenizer.Decode(ids, skipSpecialTokens: false));
            Assert.Equal(item.GetProperty("decoded_skip_special").GetString(), tokenizer.Decode(ids, skipSpecialTokens: true));
            count++;
        }
        Assert.True(count > 5);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_stream_gives_the_same_text_as_decoding_at_once(string name)
    {
        JsonElement golden = Golden.Load(name).Json;
        Tokenizer tokenizer = Tokenizer.Load(Folder(golden));
        foreach (JsonElement item in golden.GetProperty("cases").EnumerateArray())
        {
            int[] ids = Ids(item.GetProperty("ids"));
            foreach (bool skip in (bool[])[true, false])
            {
                TokenStream stream = new(tokenizer, skip);
                string text = string.Concat(ids.Select(stream.Push)) + stream.Finish();
                Assert.Equal(tokenizer.Decode(ids, skip), text);
            }
        }
    }

    [Fact]
    public void Special_ids_come_from_the_configuration()
    {
        Tokenizer omni = Tokenizer.Load(Golden.Tiny("omni"));
        Assert.Equal((594, null, 582, 580), (omni.VocabularySize, omni.BosId, omni.EosId, omni.PadId));
        Assert.True(omni.IsSpecial(omni.TokenId("<|AUDIO|>")!.Value));
        Assert.False(omni.IsSpecial(0));

        Tokenizer translator = Tokenizer.Load(Golden.Tiny("translator"));
        Assert.Equal((700, 1, 2, null), (translator.VocabularySize, translator.BosId, translator.EosId, translator.PadId));
        Assert.Equal(0, translator.UnknownId);
    }

    [Fact]
    public void The_translator_gets_a_pad_token_with_the_next_id()
    {
        Tokenizer tokenizer = Tokenizer.Load(Golden.Tiny("translator"));
        Assert.Null(tokenizer.TokenId("<pad>"));
        Assert.Equal(700, tokenizer.AddToken("<pad>"));
        Assert.Equal(700, tokenizer.AddToken("<pad>"));
        Assert.Equal((701, "<pad>"), (tokenizer.VocabularySize, tokenizer.TokenText(700)));
        int[] ids = tokenizer.Encode("a<pad>", addSpecialTokens: false);
        Assert.Equal(700, ids[^1]);
        Assert.Equal("a", tokenizer.Decode(ids, skipSpecialTokens: true));
    }

    [Theory]
    [InlineData("thinker_audio")]
    [InlineData("thinker_audio_cot")]
    [InlineData("thinker_batch_audio")]
    public void Chat_text_gives_the_ids_of_the_thinker_around_the_audio(string name)
    {
        Golden golden = Golden.Load(name);
        Tokenizer tokenizer = Tokenizer.Load(Golden.Tiny("omni"));
        int audio = tokenizer.TokenId("<|AUDIO|>")!.Value, pad = tokenizer.PadId!.Value;
        string[] chats = [.. golden.Json.GetProperty("chat_text").EnumerateArray().Select(t => t.GetString()!)];
        long[] ids = golden.Longs("input_ids");
        int width = ids.Length / chats.Length;
        for (int row = 0; row < chats.Length; row++)
        {
            IEnumerable<int> expected = ids.Skip(row * width).Take(width).Select(id => (int)id).SkipWhile(id => id == pad);
            // The processor repeats the audio token once per frame embedding; the chat has it once.
            List<int> single = [];
            foreach (int id in expected)
                if (id != audio || single[^1] != audio)
                    single.Add(id);
            Assert.Equal(single, tokenizer.Encode(chats[row], addSpecialTokens: false));
        }
    }

    private static string Folder(JsonElement golden) => Path.Combine(Golden.Root, golden.GetProperty("tokenizer").GetString()!);

    private static int[] Ids(JsonElement json) => [.. json.EnumerateArray().Select(id => id.GetInt32())];
}
