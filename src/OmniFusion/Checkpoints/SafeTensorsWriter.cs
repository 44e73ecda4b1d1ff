using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using OmniFusion.Tensors;

namespace OmniFusion.Checkpoints;

/// <summary>Writes safetensors files that every reader of the format accepts.</summary>
public static class SafeTensorsWriter
{
    /// <summary>Writes the tensors, in the given order except that wider types come first, so that each starts aligned.</summary>
    /// <param name="path">The file; it is replaced only once the new one is complete and on disk.</param>
    /// <param name="tensors">Names and values.</param>
    /// <param name="metadata">Strings for <c>__metadata__</c>; without it, <c>format = pt</c>, which transformers insists on.</param>
    /// <param name="storeAs">F32 or BF16 (rounded to nearest even) for all; null: each as it is.</param>
    /// <exception cref="OmniFusionException">A name appears twice, or the file cannot be written (no space, no permission).</exception>
    public static void Write(string path, IEnumerable<(string Name, Tensor Tensor)> tensors,
        IReadOnlyDictionary<string, string>? metadata = null, DType? storeAs = null)
    {
        if (storeAs is DType.F16)
            throw new ArgumentException("tensors are stored as F32 or BF16, or as they are", nameof(storeAs));
        List<(string Name, Tensor Tensor, DType Type)> items =
        [
            .. tensors.Select(item => (item.Name, item.Tensor, Type: storeAs ?? item.Tensor.DType))
                .OrderByDescending(item => item.Type.Size()),
        ];
        HashSet<string> names = [];
        if (items.FirstOrDefault(item => !names.Add(item.Name) || item.Name == "__metadata__").Name is { } twice)
            throw new OmniFusionException($"{path}: the tensor name '{twice}' is taken already");
        if (items.FirstOrDefault(item => item.Type != DType.F32 && item.Tensor.Count > int.MaxValue / 2).Name is { } large)
            throw new OmniFusionException($"{path}: the tensor '{large}' is larger than 2 GiB");
        byte[] header = Header(items, metadata ?? new Dictionary<string, string> { ["format"] = "pt" });
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var (_, tensor, type) in items)
                WriteBytes(stream, Converted(tensor, type));
        });
    }

    private static byte[] Header(List<(string Name, Tensor Tensor, DType Type)> items, IReadOnlyDictionary<string, string> metadata)
    {
        using MemoryStream header = new();
        using (Utf8JsonWriter json = new(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (key, value) in metadata)
                json.WriteString(key, value);
            json.WriteEndObject();
            long offset = 0;
            foreach (var (name, tensor, type) in items)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", type.ToString());
                json.WriteStartArray("shape");
                for (int axis = 0; axis < tensor.Shape.Rank; axis++)
                    json.WriteNumberValue(tensor.Shape[axis]);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Count * type.Size());
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (header.Length % 8 != 0)
            header.WriteByte((byte)' ');
        return header.ToArray();
    }

    private static Tensor Converted(Tensor tensor, DType type)
    {
        if (tensor.DType == type)
            return tensor;
        Tensor floats = tensor.DType == DType.F32 ? tensor : tensor.ToF32();
        return type == DType.F32 ? floats : floats.ToBF16();
    }

    private static void WriteBytes(Stream stream, Tensor tensor)
    {
        // Row by row, because a span over all of a large embedding in single precision would be longer than a span can be.
        if (tensor.DType == DType.F32)
            for (int row = 0; row < tensor.Rows; row++)
                stream.Write(MemoryMarshal.AsBytes(tensor.Row(row)));
        else
            stream.Write(tensor.Bytes);
        GC.KeepAlive(tensor);
    }
}
