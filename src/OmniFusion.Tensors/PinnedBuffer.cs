using System.Runtime.InteropServices;

namespace OmniFusion.Tensors;

/// <summary>
/// Memory aligned to a cache line that the collector does not move. It is the collector's own and not the operating system's, because the
/// collector then knows every span that points into it: none outlives the memory, not even that of a tensor nobody refers to any more.
/// A pointer does not count, so whoever computes with pointers keeps the tensors alive.
/// </summary>
internal sealed unsafe class PinnedBuffer
{
    internal const int Alignment = 64;

    private readonly Line[] _lines;

    internal PinnedBuffer(long bytes, bool zeroed)
    {
        // The first line of an array need not be aligned.
        int count = checked((int)((Math.Max(bytes, 1) + Alignment - 1) / Alignment + 1));
        _lines = zeroed ? GC.AllocateArray<Line>(count, pinned: true) : GC.AllocateUninitializedArray<Line>(count, pinned: true);
        nint start = (nint)Marshal.UnsafeAddrOfPinnedArrayElement(_lines, 0);
        Pointer = (byte*)((start + Alignment - 1) & -Alignment);
        Bytes = (long)(count - 1) * Alignment;
    }

    internal byte* Pointer { get; }

    internal long Bytes { get; }

    [StructLayout(LayoutKind.Sequential, Size = Alignment)]
    private readonly struct Line;
}
