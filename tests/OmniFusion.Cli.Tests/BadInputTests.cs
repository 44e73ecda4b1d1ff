using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using OmniFusion.Checkpoints;
using OmniFusion.Media;
using OmniFusion.Tensors;

namespace OmniFusion.Cli.Tests;

/// <summary>Whatever is wrong with what the command is given, it says so in one sentence.</summary>
public sealed class BadInputTests : IDisposable
{
    private const int Failed = 1;

    private readonly TinyBundle _bundle = new();

    public void Dispose() => _bundle.Dispose();

    [Fact]
    public async Task ARecordingThatIsMissing() =>
        (await _bundle.Translate(_bundle["missing.wav"], "--to", "de")).AssertFailed(Failed, "missing.wav", "not exist");

    [Fact]
    public async Task AFolderInsteadOfARecording() =>
        (await _bundle.Translate(_bundle["omni"], "--to", "de")).AssertFailed(Failed, "folder");

    [Fact]
    public async Task ARecordingThatIsCutOff()
    {
        File.Copy(TinyBundle.Media("bat.wav"), _bundle["cut.wav"]);
        _bundle.Truncate("cut.wav");
        (await _bundle.Translate(_bundle["cut.wav"], "--to", "de")).AssertFailed(Failed, "cut.wav", "truncated");
    }

    [Fact]
    public async Task TextThatCallsItselfARecording() =>
        (await _bundle.Translate(_bundle.Write("text.wav", "No sound at all.\n"), "--to", "de")).AssertFailed(Failed, "text.wav");

    [Fact]
    public async Task AnEmptyFile() =>
        (await _bundle.Translate(_bundle.Write("empty.wav", ""), "--to", "de")).AssertFailed(Failed, "empty");

    [Fact]
    public async Task ARecordingWithoutSamples() =>
        (await _bundle.Translate(Wav("none.wav", new float[0]), "--to", "de")).AssertFailed(Failed, "none.wav", "0 samples");

    [Fact]
    public async Task ARecordingOfOneSample() =>
        (await _bundle.Translate(Wav("one.wav", new float[1]), "--to", "de")).AssertFailed(Failed, "one.wav", "too short");

    [Fact]
    public async Task SilenceIsNoError()
    {
        Outcome outcome = await _bundle.Translate(Wav("silence.wav", new float[16000]), "--to", "de");
        Assert.Equal((0, "", Environment.NewLine), (outcome.Code, outcome.Errors, outcome.Output));
    }

    [Fact]
    public async Task AFolderInsteadOfAnImageOrABatch()
    {
        (await _bundle.Translate("--image", _bundle["omni"], "--to", "de")).AssertFailed(Failed, "folder");
        (await _bundle.Translate("--batch", _bundle["omni"], "--to", "de")).AssertFailed(Failed, "--batch", "folder");
    }

    [Fact]
    public async Task ARecordingOfBigEndianNumbers()
    {
        byte[] file = File.ReadAllBytes(TinyBundle.Media("bat.wav"));
        "RIFX"u8.CopyTo(file);
        (await _bundle.Translate(_bundle.Write("big.wav", file), "--to", "de")).AssertFailed(Failed, "big.wav", "RIFX");
    }

    [Fact]
    public async Task AnHourOfSound()
    {
        // Sparse: the hour takes no room on the disk, and must take none in memory.
        string path = Wav("hour.wav", new float[1], hours: 1);
        long before = GC.GetTotalAllocatedBytes();
        (await _bundle.Translate(path, "--to", "de")).AssertFailed(Failed, "hour.wav", "300 seconds");
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 100 << 20);
    }

    [Fact]
    public async Task SoundBeyondTheModelsContext() =>
        (await _bundle.Translate(Wav("long.wav", new float[250 * 16000]), "--to", "de")).AssertFailed(Failed, "tokens");

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public async Task SamplesThatAreNoNumbers(float value)
    {
        byte[] file = File.ReadAllBytes(Wav("nan.wav", new float[16000], isFloat: true));
        BinaryPrimitives.WriteSingleLittleEndian(file.AsSpan(file.Length - 400), value);
        (await _bundle.Translate(_bundle.Write("nan.wav", file), "--to", "de")).AssertFailed(Failed, "nan.wav");
    }

    [Fact]
    public async Task APictureWithAWrongChecksum()
    {
        byte[] png = File.ReadAllBytes(TinyBundle.Media("slide.png"));
        png[^20] ^= 0x40;
        (await _bundle.Translate("--image", _bundle.Write("bad.png", png), "--to", "de")).AssertFailed(Failed, "bad.png");
    }

    [Fact]
    public async Task APictureThatClaimsToBeHuge()
    {
        byte[] png = File.ReadAllBytes(TinyBundle.Media("slide.png"));
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), 60000);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), 60000);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc(png.AsSpan(12, 17)));
        (await _bundle.Translate("--image", _bundle.Write("huge.png", png), "--to", "de")).AssertFailed(Failed, "huge.png", "60000");
    }

    [Fact]
    public async Task APictureThatIsMissingOrCutOff()
    {
        (await _bundle.Translate("--image", _bundle["no.png"], "--to", "de")).AssertFailed(Failed, "no.png");
        File.Copy(TinyBundle.Media("slide.png"), _bundle["cut.png"]);
        _bundle.Truncate("cut.png");
        (await _bundle.Translate("--image", _bundle["cut.png"], "--to", "de")).AssertFailed(Failed, "cut.png");
    }

    [Fact]
    public async Task ATextThatAsksForASoundNobodyGave() =>
        (await _bundle.Translate("--text", "say <|AUDIO|>", "--image", TinyBundle.Media("slide.png"), "--to", "de"))
            .AssertFailed(Failed, "<|AUDIO|>");

    [Fact]
    public async Task AnEmptySentence() => (await _bundle.Translate("--text", " ", "--to", "de")).AssertFailed(2, "nothing");

    [Fact]
    public async Task ALanguageThatTheModelDoesNotSpeak()
    {
        _bundle.Write("omnifusion.json", """{"languages": ["de"]}""");
        (await _bundle.Translate("--text", "x", "--to", "fr")).AssertFailed(Failed, "French", "de");
    }

    [Theory]
    [InlineData("overlapping",
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""")]
    [InlineData("outside", """{"a":{"dtype":"F32","shape":[1000],"data_offsets":[0,4000]}}""")]
    [InlineData("backwards", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""")]
    [InlineData("negative", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""")]
    [InlineData("overflowing", """{"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,16]}}""")]
    [InlineData("not JSON", "{")]
    public async Task WeightsWhoseHeaderLies(string lie, string header)
    {
        Assert.NotEmpty(lie);
        await AssertWeightsFail(header.Length, header);
    }

    [Theory]
    [InlineData(10_000_000_000)]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    [InlineData(0)]
    public Task WeightsWhoseHeaderClaimsAnyLength(long length) => AssertWeightsFail(length, "{}");

    [Theory]
    [InlineData("omni/model-00002-of-00002.safetensors")]
    [InlineData("translator/model.safetensors")]
    [InlineData("fusion/adapter_model.safetensors")]
    [InlineData("omni/config.json")]
    [InlineData("translator/config.json")]
    [InlineData("fusion/adapter_config.json")]
    [InlineData("omni/tokenizer.json")]
    [InlineData("translator/tokenizer.json")]
    [InlineData("omni/preprocessor_config.json")]
    [InlineData("omni/model.safetensors.index.json")]
    public async Task PartsThatAreCutOffEmptyOrMissing(string file)
    {
        _bundle.Truncate(file);
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, _bundle.Folder);
        _bundle.Write(file, "");
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, _bundle.Folder);
        File.Delete(_bundle[file]);
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, _bundle.Folder);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("""{"mmfm": "../elsewhere"}""")]
    [InlineData("""{"translator": "nowhere"}""")]
    [InlineData("""{"generation": {"num_beams": 0}}""")]
    [InlineData("""{"fusion": {"mode": "magic"}}""")]
    [InlineData("""{"generation": {"max_new_tokens": 2000000}}""")]
    [InlineData("""{"languages": ["de", "xx"]}""")]
    public async Task ABundleThatIsNone(string json)
    {
        _bundle.Write("omnifusion.json", json);
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, "omnifusion.json");
    }

    [Fact]
    public async Task AModelThatIsNowhere() =>
        (await CommandLine.Run("info", _bundle["nowhere"])).AssertFailed(Failed, "nowhere");

    [Theory]
    [InlineData("omni")]
    [InlineData("translator")]
    public async Task ATokenizerWithoutMerges(string part)
    {
        _bundle.EditJson($"{part}/tokenizer.json", json => json["model"]!.AsObject().Remove("merges"));
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, "tokenizer.json", "merges");
    }

    [Theory]
    [InlineData("omni")]
    [InlineData("translator")]
    public async Task ATokenizerWhoseMergesWereLost(string part)
    {
        _bundle.EditJson($"{part}/tokenizer.json", json => json["model"]!["merges"] = new JsonArray());
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, "tokenizer.json", "merges is empty");
    }

    [Theory]
    [InlineData(699)]
    [InlineData(701)]
    public async Task AVocabularyOfAnotherSizeThanItsTable(int size)
    {
        _bundle.EditJson("translator/config.json", json => json["vocab_size"] = size);
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, "embed_tokens", "700");
    }

    [Fact]
    public async Task AnImageSizeThatTheModelCannotSee()
    {
        _bundle.Write("omnifusion.json", """{"image_size": [1, 1]}""");
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, "image_size", "1x1");
    }

    [Theory]
    [InlineData("omnifusion.json")]
    [InlineData("translator/config.json")]
    [InlineData("omni/preprocessor_config.json")]
    public async Task AByteOrderMarkIsNoError(string file)
    {
        _bundle.Write(file, [.. "\uFEFF"u8, .. File.ReadAllBytes(_bundle[file])]);
        Assert.Equal(0, (await _bundle.Translate("--text", "x", "--to", "de")).Code);
    }

    [Theory]
    [InlineData("translator/config.json", "eos_token_id", "[]", "names no token")]
    [InlineData("translator/config.json", "eos_token_id", "999999", "eos_token_id 999999")]
    [InlineData("translator/config.json", "eos_token_id", "-1", "eos_token_id -1")]
    [InlineData("omni/preprocessor_config.json", "patch_size", "16", "patch_size 16")]
    [InlineData("omni/preprocessor_config.json", "merge_size", "1", "merge_size 1")]
    [InlineData("omni/preprocessor_config.json", "temporal_patch_size", "3", "temporal_patch_size 3")]
    public async Task SettingsThatDoNotGoTogether(string file, string key, string value, string words)
    {
        _bundle.EditJson(file, json => json[key] = JsonNode.Parse(value));
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, Path.GetFileName(file), words);
    }

    [Fact]
    public async Task ATokenizerWithHolesInIt()
    {
        string whole = File.ReadAllText(_bundle["translator/tokenizer.json"]);
        _bundle.EditJson("translator/tokenizer.json", json => json["model"]!["merges"]!.AsArray()[0] = null);
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, "tokenizer.json", "merge 0 is not a pair");
        _bundle.Write("translator/tokenizer.json", whole);
        _bundle.EditJson("translator/tokenizer.json", json => json["added_tokens"]![0]!["content"] = null);
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, "tokenizer.json", "has no content");
    }

    [Theory]
    [InlineData("lora_B")]
    [InlineData("omni_projection")]
    [InlineData("omni_fusion")]
    public async Task AnAdapterOfAnotherSize(string which)
    {
        PeftAdapter adapter = PeftAdapter.Load(_bundle["fusion"]);
        PeftAdapter.Of(adapter.Config, [.. adapter.Tensors.Select(item => (item.Key, item.Key.Contains(which, StringComparison.Ordinal)
            ? Larger(item.Value.Shape) : item.Value))])
            .Save(_bundle["fusion"]);
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, "fusion");
    }

    [Theory]
    [InlineData("omni/config.json", "thinker_config", "text_config", "hidden_size", 64)]
    [InlineData("omni/config.json", "thinker_config", "text_config", "num_hidden_layers", 9)]
    [InlineData("omni/config.json", "thinker_config", "audio_config", "d_model", 0)]
    [InlineData("omni/config.json", "thinker_config", "text_config", "vocab_size", int.MaxValue)]
    public async Task AConfigurationThatDoesNotFitTheWeights(string file, string section, string subsection, string key, int value)
    {
        _bundle.EditJson(file, json => json[section]![subsection]![key] = value);
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, _bundle.Folder);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    public async Task ABatchOfNothing(string content) =>
        (await _bundle.Translate("--batch", _bundle.Write("batch.jsonl", content), "--to", "de")).AssertFailed(Failed, "batch.jsonl");

    [Fact]
    public async Task ABatchThatIsMissing() => (await _bundle.Translate("--batch", _bundle["no.jsonl"])).AssertFailed(Failed, "no.jsonl");

    private static Tensor Larger(Shape shape) =>
        Tensor.Zeros(new Shape([.. Enumerable.Range(0, shape.Rank).Select(axis => shape[axis] + (axis == 0 ? 3 : 0))]));

    private async Task AssertWeightsFail(long length, string header)
    {
        byte[] size = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(size, length);
        _bundle.Write("translator/model.safetensors", [.. size, .. Encoding.UTF8.GetBytes(header), .. new byte[16]]);
        long before = GC.GetTotalAllocatedBytes();
        (await _bundle.Translate("--text", "x", "--to", "de")).AssertFailed(Failed, "model.safetensors");
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 100 << 20);
    }

    private string Wav(string name, float[] samples, double hours = 0, bool isFloat = false)
    {
        const int header = 44, rate = 16000;
        if (isFloat)
            WavWriter.WriteFloat(_bundle[name], samples, rate);
        else
        {
            byte[] file = new byte[header + 2 * samples.Length];
            "RIFF    WAVEfmt "u8.CopyTo(file);
            long data = hours > 0 ? (long)(hours * 3600 * rate * 2) : 2 * samples.Length;
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(4), (uint)(data + header - 8));
            foreach ((int at, int value) in new[] { (16, 16), (24, rate), (28, rate * 2) })
                BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), value);
            foreach ((int at, short value) in new (int, short)[] { (20, 1), (22, 1), (32, 2), (34, 16) })
                BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(at), value);
            "data"u8.CopyTo(file.AsSpan(36));
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(40), (uint)data);
            using FileStream stream = File.Create(_bundle[name]);
            stream.Write(file);
            stream.SetLength(header + data);
        }
        return _bundle[name];
    }

    private static uint Crc(ReadOnlySpan<byte> data)
    {
        uint crc = ~0u;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++)
                crc = crc >> 1 ^ (0xEDB88320 & (uint)-(int)(crc & 1));
        }
        return ~crc;
    }
}
