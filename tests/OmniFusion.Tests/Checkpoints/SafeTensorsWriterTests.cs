using System.Buffers.Binary;
using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Checkpoints;

public sealed class SafeTensorsWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatIsWrittenIsReadBackWithItsTypes()
    {
        Tensor half = Tensor.From([1.5f, -2, 3], new Shape(3)).ToBF16(), full = Tensor.From([1, 2, 3, 4, 5, 6], new Shape(1, 2, 3));
        SafeTensorsWriter.Write(_folder["a"], [("half", half), ("full", full), ("none", Tensor.Zeros(new Shape(0, 4)))],
            new Dictionary<string, string> { ["step"] = "12 \"x\"" });
        SafeTensorsFile file = SafeTensorsFile.Open(_folder["a"]);
        Assert.Equal(["full", "none", "half"], file.Entries.Select(entry => entry.Name));
        Assert.Equal("12 \"x\"", file.Metadata["step"]);
        Assert.Equal(full.Shape, file.Tensor("full").Shape);
        Assert.Equal(full.Span, file.Tensor("full").Span);
        Assert.Equal(half.Bytes, file.Tensor("half").Bytes);
        Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(_folder["a"])) % 8);
    }

    [Fact]
    public void StoresAsAnotherType()
    {
        Tensor tensor = Tensor.From([1, 1.00390625f, 3.14159f], new Shape(3));
        SafeTensorsWriter.Write(_folder["a"], [("x", tensor)], storeAs: DType.BF16);
        Tensor read = SafeTensorsFile.Open(_folder["a"]).Tensor("x");
        Assert.Equal(DType.BF16, read.DType);
        Assert.Equal([1f, 1f, 3.140625f], read.ToF32().Span);
        SafeTensorsWriter.Write(_folder["b"], [("x", read)], storeAs: DType.F32);
        Assert.Equal([1f, 1f, 3.140625f], SafeTensorsFile.Open(_folder["b"]).Tensor("x").Span);
    }

    [Fact]
    public void AMappedFileCanBeReplacedWhileItsTensorsAreInUse()
    {
        SafeTensorsWriter.Write(_folder["a"], [("x", Tensor.From([1, 2], new Shape(2)))]);
        Tensor old = SafeTensorsFile.Open(_folder["a"]).Tensor("x");
        SafeTensorsWriter.Write(_folder["a"], [("x", old), ("y", Tensor.From([3], new Shape(1)))]);
        Assert.Equal([1f, 2f], old.Span);
        Assert.Equal([1f, 2f], SafeTensorsFile.Open(_folder["a"]).Tensor("x").Span);
    }

    [Fact]
    public void AFailureLeavesTheOldFileAndNothingElse()
    {
        File.WriteAllText(_folder["a"], "old");
        OmniFusionException error = Assert.Throws<OmniFusionException>(() => AtomicFile.Write(_folder["a"], stream =>
        {
            stream.Write(new byte[100_000]);
            throw new IOException("No space left on device");
        }));
        Assert.Equal($"{_folder["a"]} cannot be written: No space left on device", error.Message);
        Assert.Equal("old", File.ReadAllText(_folder["a"]));
        Assert.Equal([_folder["a"]], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void AnImpossiblePlaceAndANameTakenTwiceAreOneSentence()
    {
        Tensor x = Tensor.Zeros(new Shape(1));
        Assert.Contains("cannot be written", Sentence("no/a", ("x", x)));
        Assert.Contains("cannot be written", Sentence("", ("x", x)));
        Assert.Contains("'x' is taken", Sentence("a", ("x", x), ("x", x)));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));

        string Sentence(string name, params (string, Tensor)[] tensors) =>
            Assert.Throws<OmniFusionException>(() => SafeTensorsWriter.Write(_folder[name], tensors)).Message;
    }
}
