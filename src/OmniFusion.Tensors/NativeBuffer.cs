using System.Runtime.InteropServices;

namespace OmniFusion.Tensors;

/// <summary>Memory outside the managed heap, aligned to a cache line, freed when nobody refers to it any more.</summary>
internal sealed unsafe class NativeBuffer
{
    internal const int Alignment = 64;

    internal NativeBuffer(long bytes, bool zeroed)
    {
        Bytes = Math.Max(bytes, Alignment);
        Pointer = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes, Alignment);
        GC.AddMemoryPressure(Bytes);
        if (zeroed)
            NativeMemory.Clear(Pointer, (nuint)Bytes);
    }

    ~NativeBuffer()
    {
        NativeMemory.AlignedFree(Pointer);
        GC.RemoveMemoryPressure(Bytes);
    }

    internal byte* Pointer { get; }

    internal long Bytes { get; }
}
