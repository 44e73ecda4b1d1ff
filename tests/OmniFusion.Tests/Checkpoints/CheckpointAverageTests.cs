using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Checkpoints;

public sealed class CheckpointAverageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(DType.F32, "F32")]
    [InlineData(DType.BF16, "BF16")]
    public void EveryTensorIsTheMeanAndTheRestIsCopied(DType type, string stored)
    {
        string a = Make("a", type, 1, 8), b = Make("b", type, 3, -4), output = _folder["mean"];
        _folder.Write("a/config.json", "of a");
        _folder.Write("b/config.json", "of b");
        _folder.Write("a/model.safetensors.index.json", "{}");
        CheckpointAverage.Write([a, b], null, output);
        SafeTensorsFile mean = SafeTensorsFile.Open(Path.Combine(output, "model.safetensors"));
        Assert.All(mean.Entries, entry => Assert.Equal(stored, entry.Type));
        Assert.Equal([2f, 2f, 2f], mean.Tensor("x").ToF32().Span.ToArray());
        Assert.Equal([2f, 2f], mean.Tensor("y").ToF32().Span.ToArray());
        Assert.Equal("of a", File.ReadAllText(Path.Combine(output, "config.json")));
        Assert.True(File.Exists(Path.Combine(output, "model.safetensors.index.json")));

        CheckpointAverage.Write([a, b], [0.25f, 0.75f], output);
        mean = SafeTensorsFile.Open(Path.Combine(output, "model.safetensors"));
        Assert.Equal([2.5f, 2.5f, 2.5f], mean.Tensor("x").ToF32().Span.ToArray());
        Assert.Equal([-1f, -1f], mean.Tensor("y").ToF32().Span.ToArray());
    }

    [Fact]
    public void WhatHasNoMeanIsRefusedAndNothingIsWritten()
    {
        string a = Make("a", DType.F32, 1, 8), output = _folder["mean"];
        Refused("at least two", [a]);
        Refused("2 shares", [a, a], [1]);
        Refused("numbers", [a, a], [1, float.NaN]);
        Refused("sum to 1, not 1.4", [a, a], [0.7f, 0.7f]);
        Refused("one of its parts", [a, output]);
        Refused("cannot be read", [_folder["missing"], a]);
        Refused("missing", [a, _folder["missing"]]);
        Refused(".safetensors", [Directory.CreateDirectory(_folder["empty"]).FullName, a]);
        Refused("'y' of shape [2]", [a, Make("lacking", DType.F32, 1, null)]);
        Refused("more tensors", [Make("less", DType.F32, 1, null), a]);
        Refused("'x' of shape [3]", [a, Make("longer", DType.F32, 1, 8, length: 4)]);
        string foreign = Make("foreign", DType.F32, 1, 8);
        _folder.Write("a/tokenizer.json", "tokens");
        Refused("tokenizer.json", [a, foreign]);
        _folder.Write("foreign/tokenizer.json", "others");
        Refused("tokenizer.json", [a, foreign]);
        Assert.False(Directory.Exists(output));

        void Refused(string word, string[] folders, float[]? shares = null) => Assert.Contains(word,
            Assert.Throws<OmniFusionException>(() => CheckpointAverage.Write(folders, shares, output)).Message, StringComparison.Ordinal);
    }

    private string Make(string name, DType type, float x, float? y, int length = 3)
    {
        List<(string, Tensor)> tensors = [("x", Filled(x, length))];
        if (y is { } value)
            tensors.Add(("y", Filled(value, 2)));
        Directory.CreateDirectory(_folder[name]);
        SafeTensorsWriter.Write(_folder[name + "/model.safetensors"], tensors, storeAs: type);
        return _folder[name];
    }

    private static Tensor Filled(float value, int length) => Tensor.From([.. Enumerable.Repeat(value, length)], new Shape(length));
}
