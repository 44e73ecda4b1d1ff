namespace OmniFusion.Tensors.Tests;

internal static class Allocations
{
    /// <summary>
    /// Bytes that a warm call allocates on the managed heap of this thread: the median of several calls, because the runtime itself allocates
    /// now and then, for instance when it recompiles a hot method.
    /// </summary>
    internal static long OfWarmCall(Action call)
    {
        long[] bytes = new long[20];
        for (int round = 0; round < bytes.Length; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            call();
            bytes[round] = GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Array.Sort(bytes);
        return bytes[bytes.Length / 2];
    }
}
