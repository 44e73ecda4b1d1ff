namespace OmniFusion.Tensors;

/// <summary>How the numbers of a tensor are stored. Activations are always <see cref="F32"/>; weights keep their stored type.</summary>
public enum DType : byte
{
    /// <summary>IEEE 754 single precision.</summary>
    F32,

    /// <summary>The upper half of a single: 8 exponent and 7 fraction bits.</summary>
    BF16,

    /// <summary>IEEE 754 half precision.</summary>
    F16,
}

/// <summary>Facts about <see cref="DType"/>.</summary>
public static class DTypes
{
    /// <summary>Bytes that one number takes.</summary>
    public static int Size(this DType type) => type == DType.F32 ? 4 : 2;
}
