namespace OmniFusion.Tensors;

/// <summary>Work on a range of rows or elements; a struct, so that the loop is compiled for it.</summary>
internal interface IRange
{
    void Run(long from, long to);
}

public sealed partial class CpuKernels
{
    // Below this many elements a hand-over to another thread costs more than it saves.
    private const long Grain = 16384;

    /// <summary>Cuts [0, count) among the threads; <paramref name="elementCost"/> is the elements that one index stands for.</summary>
    internal unsafe void Each<T>(T body, long count, long elementCost) where T : unmanaged, IRange
    {
        int parts = (int)Math.Min(Math.Min(count, Pool.Threads * 2L), count * elementCost / Grain);
        if (parts <= 1 || Pool.Threads == 1)
        {
            body.Run(0, count);
            return;
        }
        Ranged<T> state = new() { Body = body, Count = count, Parts = parts };
        Pool.For(parts, &RunPart<T>, &state);
    }

    private static unsafe void RunPart<T>(void* state, int part) where T : unmanaged, IRange
    {
        Ranged<T>* ranged = (Ranged<T>*)state;
        ranged->Body.Run(ranged->Count * part / ranged->Parts, ranged->Count * (part + 1) / ranged->Parts);
    }

    private struct Ranged<T>
    {
        public T Body;
        public long Count;
        public int Parts;
    }
}
