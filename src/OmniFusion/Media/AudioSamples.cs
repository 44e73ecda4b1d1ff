using System.Buffers;

namespace OmniFusion.Media;

/// <summary>Samples that are still arriving: an array that grows, and that is handed over without a copy when its size was known.</summary>
internal sealed class AudioSamples(string name, long expected) : IBufferWriter<float>
{
    private const int Smallest = 1 << 14;

    private float[] _samples = New(name, expected);

    public int Count { get; private set; }

    public void Advance(int count) => Count += count;

    public Span<float> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public Memory<float> GetMemory(int sizeHint = 0)
    {
        long needed = (long)Count + Math.Max(sizeHint, 1);
        if (needed > _samples.Length)
        {
            float[] larger = New(name, Math.Max(needed, Math.Min(2L * _samples.Length, Array.MaxLength)));
            _samples.AsSpan(0, Count).CopyTo(larger);
            _samples = larger;
        }

        return _samples.AsMemory(Count);
    }

    public float[] ToArray() => Count == _samples.Length ? _samples : _samples[..Count];

    private static float[] New(string name, long size)
    {
        try
        {
            return size <= Array.MaxLength ? new float[Math.Max(size, Smallest)] : throw new OutOfMemoryException();
        }
        catch (OutOfMemoryException e)
        {
            throw new OmniFusionException($"{name} is too long: {size} samples do not fit into memory.", e);
        }
    }
}
