using System.Runtime.InteropServices;

namespace OmniFusion.Training.Data;

/// <summary>Appends items to a pack so that it is whole whenever it is stopped.</summary>
internal sealed class SpeechPackWriter : IDisposable
{
    private readonly string[] _voices;
    private readonly FileStream _samples;
    private readonly FileStream _index;
    private long _next;

    private SpeechPackWriter(string[] voices, FileStream samples, FileStream index, List<SpeechPackItem> items)
    {
        _voices = voices;
        _samples = samples;
        _index = index;
        _next = samples.Length / sizeof(short);
        Written = items;
    }

    /// <summary>The items that were in the pack when it was opened.</summary>
    public IReadOnlyList<SpeechPackItem> Written { get; }

    /// <summary>Makes a new pack, or goes on with one made from the same text, seed and voices.</summary>
    public static SpeechPackWriter Open(string path, SpeechPackHeader header, bool resume)
    {
        string indexPath = SpeechPackIndex.PathFor(path);
        bool exists = File.Exists(indexPath) && new FileInfo(indexPath).Length > 0;
        if (exists && !resume)
            throw new OmniFusionException($"{path} exists: give --resume to go on with it, or remove it and {indexPath}.");
        List<SpeechPackItem> items = [];
        long endOfRecords = 0;
        if (exists)
        {
            (SpeechPackHeader found, items, endOfRecords) = SpeechPackIndex.Read(path);
            if (found.Seed != header.Seed || found.TextSha256 != header.TextSha256 || !found.Voices.SequenceEqual(header.Voices))
                throw new OmniFusionException($"{path} was made from another text, seed, limit or voices, so it cannot be resumed.");
            // Failures at the very end may be what stopped the last run, such as a full disk: they are tried again.
            while (items.Count > 0 && items[^1].SampleCount == 0)
            {
                items.RemoveAt(items.Count - 1);
                endOfRecords -= SpeechPackIndex.RecordSize;
            }
        }

        FileStream? samples = null;
        FileStream? index = null;
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
                Directory.CreateDirectory(folder);
            // Unbuffered: an item is in the hands of the system before its record is, even if this process is killed.
            samples = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
            index = new FileStream(indexPath, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
            samples.SetLength(items.Count == 0 ? 0 : (items[^1].FirstSample + items[^1].SampleCount) * sizeof(short));
            samples.Seek(0, SeekOrigin.End);
            index.SetLength(endOfRecords);
            index.Seek(0, SeekOrigin.End);
            if (!exists)
                index.Write(SpeechPackIndex.EncodeHeader(header));
            return new SpeechPackWriter(header.Voices, samples, index, items);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            samples?.Dispose();
            index?.Dispose();
            throw new OmniFusionException($"Cannot write the speech pack {path}: {error.Message}", error);
        }
    }

    /// <summary>Appends an item; one without samples records that the line could not be spoken.</summary>
    public void Append(Utterance utterance, short[] samples) => Append(utterance.TextIndex, utterance.Copy, utterance.Voice.Id, samples);

    /// <summary>Appends an item by a voice of the header; one without samples records that the line could not be spoken.</summary>
    public void Append(int textIndex, int copy, string voice, short[] samples)
    {
        try
        {
            _samples.Write(MemoryMarshal.AsBytes<short>(samples));
            SpeechPackItem item = new(textIndex, copy, voice, _next, samples.Length);
            _index.Write(SpeechPackIndex.EncodeItem(item, Array.IndexOf(_voices, voice)));
            _next += samples.Length;
        }
        catch (IOException error)
        {
            throw new OmniFusionException($"Cannot write the speech pack {_samples.Name}: {error.Message}", error);
        }
    }

    public void Dispose()
    {
        _samples.Dispose();
        _index.Dispose();
    }
}
