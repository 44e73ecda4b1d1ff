using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Tests.Checkpoints;

public sealed class SafeTensorsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReadsEveryFloatTensorOfAGoldenAsTheIndependentReaderDoes()
    {
        Golden golden = Golden.Load("train_fused");
        SafeTensorsFile file = SafeTensorsFile.Open(Path.Combine(Golden.Root, "cases", "train_fused.safetensors"));
        Assert.Equal(golden.Names.Order(StringComparer.Ordinal), file.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        foreach (SafeTensorsEntry entry in file.Entries.Where(entry => entry.Type == "F32"))
        {
            Tensor tensor = file.Tensor(entry.Name);
            Assert.Equal(new Shape(golden.Shape(entry.Name)), tensor.Shape);
            Assert.Equal(golden.Floats(entry.Name), tensor.Span);
        }
        string message = Assert.Throws<OmniFusionException>(() => file.Tensor("labels")).Message;
        Assert.Contains("'labels' is stored as I64", message);
    }

    [Fact]
    public void ReadsBFloat16AndMetadata()
    {
        SafeTensorsFile file = SafeTensorsFile.Open(Path.Combine(Golden.Tiny("translator"), "model.safetensors"));
        Tensor tensor = file.Tensor("model.embed_tokens.weight");
        Assert.Equal(DType.BF16, tensor.DType);
        Assert.Equal(new Shape(700, 64), tensor.Shape);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.All(tensor.ToF32().Span.ToArray(), value => Assert.InRange(value, -10, 10));
    }

    [Fact]
    public void ATensorOutlivesItsFile()
    {
        WeakReference file = OpenAndForget(out Tensor tensor);
        for (int i = 0; i < 10 && file.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.False(file.IsAlive);
        Assert.Equal([1f, 2f, 3f], tensor.Span);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        WeakReference OpenAndForget(out Tensor tensor)
        {
            SafeTensorsWriter.Write(_folder["a.safetensors"], [("x", Tensor.From([1, 2, 3], new Shape(3)))]);
            SafeTensorsFile opened = SafeTensorsFile.Open(_folder["a.safetensors"]);
            tensor = opened.Tensor("x");
            return new WeakReference(opened);
        }
    }

    [Theory]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "truncated or damaged: the tensor 'x' ends at byte 8")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 12, "4 bytes at the end belong to no tensor")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "'x' leaves a hole before it")]
    [InlineData("""{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "says F32 [3], which is not the 8 bytes")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "'x' has no data_offsets")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8, "'x' has no data_offsets")]
    [InlineData("""{"x":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "'x' has no shape")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}""", 8, "'x' has no shape")]
    [InlineData("""{"x":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}""", 8, "'x' has no shape")]
    [InlineData("""{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "'x' has the impossible shape")]
    [InlineData("""{"x":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}""", 4, "which is not the 4 bytes")]
    [InlineData("""{"x":{"dtype":3,"shape":[2],"data_offsets":[0,8]}}""", 8, "'x' has no dtype")]
    [InlineData("""{"x":[]}""", 0, "'x' is not a JSON object")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "the metadata 'a' is not a string")]
    [InlineData("""{"__metadata__":[]}""", 0, "__metadata__ is not a JSON object")]
    [InlineData("[]", 0, "its header is not a JSON object")]
    [InlineData("{", 0, "its header is not valid JSON")]
    [InlineData("""{"\ud800":{}}""", 0, "its header is not valid JSON")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6,
        "'y' overlaps the one before it")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8,
        "'x' appears twice")]
    public void ADamagedHeaderIsOneSentence(string header, int dataBytes, string expected)
    {
        string path = WriteFile(Encoding.UTF8.GetBytes(header), dataBytes);
        OmniFusionException error = Assert.Throws<OmniFusionException>(() => SafeTensorsFile.Open(path));
        Assert.StartsWith(path, error.Message);
        Assert.Contains(expected, error.Message);
    }

    [Theory]
    [InlineData(new byte[0], "it has only 0 bytes")]
    [InlineData(new byte[] { 1, 2, 3 }, "it has only 3 bytes")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 }, "its header is not valid JSON")]
    [InlineData(new byte[] { 0, 0, 0, 80, 2, 0, 0, 0, 123 }, "its header would have 9932111872 bytes")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, 123 }, "its header would have 18446744073709551615 bytes")]
    [InlineData(new byte[] { 200, 0, 0, 0, 0, 0, 0, 0, 123, 125 }, "is truncated: its header has 200 bytes, the file 10")]
    public void ALyingLengthIsOneSentence(byte[] bytes, string expected)
    {
        File.WriteAllBytes(_folder["x.safetensors"], bytes);
        Assert.Contains(expected, Assert.Throws<OmniFusionException>(() => SafeTensorsFile.Open(_folder["x.safetensors"])).Message);
    }

    [Fact]
    public void AGitLfsPointerAndAMissingFileAreNamed()
    {
        string path = _folder.Write("x.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 100\n");
        Assert.Contains("git-lfs pointer", Assert.Throws<OmniFusionException>(() => SafeTensorsFile.Open(path)).Message);
        Assert.EndsWith("does not exist", Assert.Throws<OmniFusionException>(() => SafeTensorsFile.Open(_folder["no"])).Message);
        Assert.Contains("cannot be read", Assert.Throws<OmniFusionException>(() => SafeTensorsFile.Open(_folder.Path)).Message);
    }

    [Fact]
    public void OddShapesAndForeignTypesAreRefusedOnlyWhenAskedFor()
    {
        string path = WriteFile("""
            {"scalar":{"dtype":"F32","shape":[],"data_offsets":[0,4]},
             "six":{"dtype":"F32","shape":[1,1,1,1,1,1],"data_offsets":[4,8]},
             "empty":{"dtype":"F16","shape":[0,7],"data_offsets":[8,8]},
             "wide":{"dtype":"F16","shape":[4294967296,0],"data_offsets":[8,8]},
             "unheard":{"dtype":"Q3","shape":[5],"data_offsets":[8,10]},
             "four":{"dtype":"F4","shape":[4],"data_offsets":[10,12]}}
            """u8, 12);
        SafeTensorsFile file = SafeTensorsFile.Open(path);
        Assert.Equal(6, file.Entries.Count);
        Assert.Equal(new Shape(1), file.Tensor("scalar").Shape);
        Assert.Equal(0, file.Tensor("empty").Count);
        Assert.Contains("6 axes", Assert.Throws<OmniFusionException>(() => file.Tensor("six")).Message);
        Assert.Contains("an axis beyond", Assert.Throws<OmniFusionException>(() => file.Tensor("wide")).Message);
        Assert.Contains("stored as Q3", Assert.Throws<OmniFusionException>(() => file.Tensor("unheard")).Message);
        Assert.Contains("has no tensor 'none'", Assert.Throws<OmniFusionException>(() => file.Tensor("none")).Message);
    }

    [Fact]
    public void FlippedBytesGiveASentenceOrTensorsInsideTheFile()
    {
        SafeTensorsWriter.Write(_folder["good"],
            [("a", Tensor.From([1, 2, 3, 4], new Shape(2, 2))), ("b", Tensor.From([5, 6], new Shape(2)).ToBF16())]);
        byte[] good = File.ReadAllBytes(_folder["good"]);
        int headerEnd = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(good);
        string path = _folder["flipped"];
        int opened = 0, refused = 0;
        Gen<(int, byte)[]> flips = Gen.Choose(0, headerEnd - 1).SelectMany(at => Gen.Choose(1, 255).Select(mask => (at, (byte)mask)))
            .ArrayOf().Where(list => list.Length is > 0 and < 4);
        Prop.ForAll(flips.ToArbitrary(), list =>
        {
            byte[] bytes = (byte[])good.Clone();
            foreach (var (at, mask) in list)
                bytes[at] ^= mask;
            File.WriteAllBytes(path, bytes);
            try
            {
                SafeTensorsFile file = SafeTensorsFile.Open(path);
                foreach (SafeTensorsEntry entry in file.Entries)
                {
                    Assert.InRange(entry.Begin, 0, good.Length);
                    Assert.InRange(entry.End, entry.Begin, good.Length);
                    TryRead(file, entry.Name);
                }
                opened++;
            }
            catch (OmniFusionException)
            {
                refused++;
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000).WithQuietOnSuccess(true).WithReplay(20251200234, 1));
        Assert.True(opened > 10 && refused > 100, $"{opened} opened, {refused} refused");
    }

    private static void TryRead(SafeTensorsFile file, string name)
    {
        try
        {
            Assert.True(file.Tensor(name).ToF32().Count <= 8);
        }
        catch (OmniFusionException)
        {
            // A type or a shape that became another one is refused in words.
        }
    }

    private string WriteFile(ReadOnlySpan<byte> header, int dataBytes)
    {
        using FileStream stream = File.Create(_folder["x.safetensors"]);
        stream.Write(BitConverter.GetBytes((long)header.Length));
        stream.Write(header);
        stream.Write(new byte[dataBytes]);
        return stream.Name;
    }
}
