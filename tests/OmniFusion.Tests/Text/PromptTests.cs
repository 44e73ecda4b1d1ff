using System.Text.Json;
using OmniFusion.Text;

namespace OmniFusion.Tests.Text;

public sealed class PromptTests
{
    private static readonly Language German = Languages.Find("de");

    public static TheoryData<string> Cases
    {
        get
        {
            TheoryData<string> cases = [];
            foreach (string file in Directory.EnumerateFiles(Path.Combine(Golden.Root, "cases"), "thinker_*.json").Order())
                if (!Path.GetFileName(file).StartsWith("thinker_generate", StringComparison.Ordinal))
                    cases.Add(Path.GetFileNameWithoutExtension(file));
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Published_texts_are_verbatim(string name)
    {
        JsonElement golden = Golden.Load(name).Json;
        Language target = Languages.Find(golden.GetProperty("target_language").GetString()!);
        bool transcribed = golden.GetProperty("use_cot").GetBoolean();
        int row = 0;
        foreach (JsonElement item in golden.GetProperty("inputs").EnumerateArray())
        {
            string text = item.GetProperty("text").GetString()!;
            PromptInput input = new()
            {
                Audio = item.GetProperty("audio").ValueKind == JsonValueKind.String,
                Image = item.GetProperty("image").ValueKind == JsonValueKind.String,
                Text = transcribed ? null : text,
                Transcript = transcribed ? text : null,
            };
            Assert.Equal(golden.GetProperty("chat_text")[row].GetString(), PromptStyle.Published.Chat(input, target));
            Assert.Equal(golden.GetProperty("tower_text")[row].GetString(), PromptStyle.Published.Tower(input, target));
            row++;
        }
        Assert.True(row > 0);
    }

    [Fact]
    public void The_generation_prompt_opens_the_assistants_turn()
    {
        PromptInput input = new() { Audio = true };
        string plain = PromptStyle.Published.Chat(input, German);
        Assert.Equal(plain + "<|im_start|>assistant\n", PromptStyle.Published.Chat(input, German, generationPrompt: true));
    }

    [Fact]
    public void The_compact_style_holds_only_the_inputs()
    {
        PromptStyle compact = PromptStyle.Named("compact");
        Assert.Equal(
            "<|im_start|>user\n<|audio_bos|><|AUDIO|><|audio_eos|><|im_end|>\n",
            compact.Chat(new PromptInput { Audio = true }, German));
        Assert.Equal(
            "<|im_start|>user\n<|vision_bos|><|IMAGE|><|vision_eos|><|audio_bos|><|AUDIO|><|audio_eos|><|im_end|>\n",
            compact.Chat(new PromptInput { Audio = true, Image = true }, German));
        Assert.Equal(
            "<|im_start|>user\nA bat.<|vision_bos|><|IMAGE|><|vision_eos|><|im_end|>\n",
            compact.Chat(new PromptInput { Image = true, Text = "A bat." }, German));
        Assert.Equal(" <de> ", compact.Tower(new PromptInput { Audio = true }, German));
        Assert.Equal("A bat. <de> ", compact.TextAlone("A bat.", Languages.Find("en"), German));
    }

    [Fact]
    public void A_text_alone_goes_to_the_translator_with_its_own_prompt() =>
        Assert.Equal(
            "Translate the following English sentence into German:\nA bat. <de>",
            PromptStyle.Published.TextAlone("A bat.", Languages.Find("en"), German));

    [Fact]
    public void Inputs_that_are_no_task_are_refused()
    {
        PromptInput[] wrong =
        [
            new(),
            new() { Text = "A bat." },
            new() { Audio = true, Text = "A bat." },
            new() { Image = true, Transcript = "A bat." },
        ];
        foreach (PromptInput input in wrong)
        {
            Assert.Throws<OmniFusionException>(() => PromptStyle.Published.Chat(input, German));
            Assert.Throws<OmniFusionException>(() => PromptStyle.Compact.Tower(input, German));
        }
        Assert.Contains("compact", Assert.Throws<OmniFusionException>(() => PromptStyle.Named("short")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Languages_are_found_by_code_and_by_name()
    {
        Assert.Equal(25, Languages.All.Count);
        string[] codes =
            "zh en fr de it ja ko pt ru es vi ar cs hr da nl fi hu id ms nb no pl ro tr".Split(' ');
        Assert.Equal(codes.Order(StringComparer.Ordinal), Languages.All.Select(l => l.Code).Order(StringComparer.Ordinal));
        foreach (Language language in Languages.All)
        {
            Assert.Same(language, Languages.Find(language.Code.ToUpperInvariant()));
            Assert.Same(language, Languages.Find(language.Name.ToLowerInvariant()));
        }
        Assert.Equal("nb", Languages.Find("Norwegian Bokmål").Code);
        string message = Assert.Throws<OmniFusionException>(() => Languages.Find("Klingon")).Message;
        Assert.Contains("Klingon", message, StringComparison.Ordinal);
        Assert.Contains("German (de)", message, StringComparison.Ordinal);
    }
}
