using OmniFusion.Tensors;

namespace OmniFusion.Checkpoints;

/// <summary>What the header of a safetensors file says about one tensor.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Type">The stored type in the format's spelling: <c>F32</c>, <c>BF16</c>, <c>I64</c>, ...</param>
/// <param name="Sizes">Sizes of the axes; empty for a single number.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">The byte after the last one.</param>
public sealed record SafeTensorsEntry(string Name, string Type, IReadOnlyList<long> Sizes, long Begin, long End)
{
    /// <summary>The type to compute with, or null where there is none.</summary>
    public DType? DType => Type switch
    {
        "F32" => Tensors.DType.F32,
        "BF16" => Tensors.DType.BF16,
        "F16" => Tensors.DType.F16,
        _ => null,
    };

    /// <summary>Number of bytes.</summary>
    public long Bytes => End - Begin;

    /// <summary>The sizes, for messages: <c>[200, 64]</c>.</summary>
    public string Shape => $"[{string.Join(", ", Sizes)}]";
}
