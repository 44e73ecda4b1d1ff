namespace OmniFusion.Tensors.Tests;

internal static class Allocations
{
    /// <summary>
    /// Bytes that a warm call allocates on the managed heap of this thread: the least of several calls, because the runtime itself allocates
    /// now and then, for instance when it recompiles a hot method.
    /// </summary>
    internal static long OfWarmCall(Action call)
    {
        long least = long.MaxValue;
        for (int round = 0; round < 20; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            call();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
