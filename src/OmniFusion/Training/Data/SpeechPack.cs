using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace OmniFusion.Training.Data;

/// <summary>
/// Many spoken sentences in one file that is read by memory mapping, and that can be read while it grows.
/// </summary>
/// <remarks>
/// <para>
/// <c>NAME</c> holds nothing but the samples of all items one after another: 16 kHz, mono, 16-bit little-endian.
/// </para>
/// <para>
/// <c>NAME.index</c> says what they are, all numbers little-endian: the 8 bytes <c>OFSPEECH</c>; a 32-bit version, 1; the 32-bit size of a
/// JSON header; the header, <c>{"sampleRate", "seed", "lines", "textSha256", "voices"}</c>; then one record of 20 bytes per item: first
/// sample (64 bits), number of samples (32 bits; 0 for a line that could not be spoken), line of the text (32 bits), copy (16 bits), and
/// voice, an index into the header's list (16 bits). Copy 0 of all lines comes first, in the order of the text, then copy 1, and so on,
/// so that any beginning of a pack is a usable set.
/// </para>
/// <para>
/// An item's samples are written before its record, and files are only appended to: whatever moment a writer is stopped at, the whole
/// records are good. A reader sees what there was when it opened the pack, and opens it again to see more.
/// </para>
/// <para>Reading is safe from several threads at once.</para>
/// </remarks>
public sealed class SpeechPack : IDisposable
{
    /// <summary>Samples per second of every pack.</summary>
    public const int SampleRate = 16000;

    private readonly SpeechPackHeader _header;
    private readonly MemoryMappedViewAccessor? _view;

    private SpeechPack(SpeechPackHeader header, IReadOnlyList<SpeechPackItem> items, MemoryMappedViewAccessor? view)
    {
        _header = header;
        Items = items;
        _view = view;
    }

    /// <summary>Opens the pack as far as it is written.</summary>
    /// <param name="path">The file with the samples; its index lies beside it.</param>
    /// <exception cref="OmniFusionException">A file is missing, or the index is damaged.</exception>
    public static SpeechPack Open(string path)
    {
        (SpeechPackHeader header, List<SpeechPackItem> items, _) = SpeechPackIndex.Read(path);
        long bytes = items.Count == 0 ? 0 : (items[^1].FirstSample + items[^1].SampleCount) * sizeof(short);
        if (bytes == 0)
            return new SpeechPack(header, items, null);
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using MemoryMappedFile mapped =
                MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            return new SpeechPack(header, items, mapped.CreateViewAccessor(0, bytes, MemoryMappedFileAccess.Read));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"Cannot read the speech pack {path}: {error.Message}", error);
        }
    }

    /// <summary>Number of items, with those that could not be spoken.</summary>
    public int Count => Items.Count;

    /// <summary>The items: copy 0 of all lines in the order of the text, then copy 1, and so on. Some may have no samples.</summary>
    public IReadOnlyList<SpeechPackItem> Items { get; }

    /// <summary>Number of lines of the text that the pack was made from.</summary>
    public int Lines => _header.Lines;

    /// <summary>The seed that voices, rates and pitches were drawn from.</summary>
    public long Seed => _header.Seed;

    /// <summary>The <see cref="Voice.Id"/>s of the voices that were drawn from.</summary>
    public IReadOnlyList<string> Voices => _header.Voices;

    /// <summary>Whether the pack speaks these lines; a text longer than <see cref="Lines"/> may go on after them.</summary>
    public bool IsMadeFrom(IReadOnlyList<string> text) =>
        text.Count >= Lines && SpeechPackHeader.HashText(text.Take(Lines)) == _header.TextSha256;

    /// <summary>Copies an item's 16-bit samples.</summary>
    /// <param name="item">Position in <see cref="Items"/>.</param>
    /// <param name="samples">Receives the samples: exactly as long as the item's <see cref="SpeechPackItem.SampleCount"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such item.</exception>
    /// <exception cref="ArgumentException"><paramref name="samples"/> has another length.</exception>
    public void ReadSamples(int item, Span<short> samples)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(item);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(item, Count);
        if (samples.Length != Items[item].SampleCount)
            throw new ArgumentException($"Item {item} has {Items[item].SampleCount} samples, not {samples.Length}.", nameof(samples));
        if (samples.Length == 0)
            return;
        ulong offset = (ulong)(_view!.PointerOffset + Items[item].FirstSample * sizeof(short));
        _view.SafeMemoryMappedViewHandle.ReadSpan(offset, samples);
        if (!BitConverter.IsLittleEndian)
            System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(samples, samples);
    }

    /// <summary>An item's samples, scaled to -1 up to 1.</summary>
    /// <param name="item">Position in <see cref="Items"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such item.</exception>
    public float[] ReadSamples(int item)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(item);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(item, Count);
        float[] samples = new float[Items[item].SampleCount];
        // The 16-bit samples lie in the second half of the floats' own memory and are widened from the front.
        Span<short> raw = MemoryMarshal.Cast<float, short>(samples.AsSpan())[samples.Length..];
        ReadSamples(item, raw);
        for (int i = 0; i < samples.Length; i++)
            samples[i] = raw[i] / 32768f;
        return samples;
    }

    /// <summary>Unmaps the file.</summary>
    public void Dispose() => _view?.Dispose();
}
