using OmniFusion.Tensors;

namespace OmniFusion.Models.Omni;

/// <summary>Patches of an image: frames, rows and columns of 14x14 pixels.</summary>
/// <param name="Time">Frames (1 for an image).</param>
/// <param name="Height">Rows of patches.</param>
/// <param name="Width">Columns of patches.</param>
public readonly record struct ImageGrid(int Time, int Height, int Width)
{
    /// <summary>Number of patches.</summary>
    public int Patches => Time * Height * Width;
}

/// <summary>One item for the thinker: a chat text as token ids, and what its media placeholders stand for.</summary>
public sealed record ThinkerInput
{
    /// <summary>Token ids; each medium is a single placeholder token (audio, image), to be widened to the medium's length.</summary>
    public required int[] Ids { get; init; }

    /// <summary>Log-mel spectrogram [frames, bins], row-major, or null.</summary>
    public float[]? Mel { get; init; }

    /// <summary>Whether the sound is digital silence, in which nobody says anything.</summary>
    internal bool Silent { get; init; }

    /// <summary>Patches [patches, patch length], row-major, or null.</summary>
    public float[]? Patches { get; init; }

    /// <summary>Layout of <see cref="Patches"/>.</summary>
    public ImageGrid Grid { get; init; }

    /// <summary>Whether the translator reads a transcript of the sound, so that no gloss has to say it (<see cref="PrefixGloss"/>).</summary>
    public bool Transcribed { get; init; }
}

/// <summary>Neighbouring tokens, or rows of a prefix, that stand for images or for one sound.</summary>
/// <param name="Start">The first of them.</param>
/// <param name="Length">Their number.</param>
/// <param name="IsAudio">Whether it is a sound.</param>
public readonly record struct MediaStretch(int Start, int Length, bool IsAudio)
{
    /// <summary>The first behind them.</summary>
    public int End => Start + Length;

    /// <summary>What is left of them from <paramref name="first"/> on, counted from there.</summary>
    internal MediaStretch From(int first)
    {
        int start = Math.Max(Start, first);
        return this with { Start = start - first, Length = Math.Max(0, End - start) };
    }
}

/// <summary>Items of a batch laid out one after the other, their placeholders widened, with a 3-axis position for each token.</summary>
public sealed class ThinkerBatch
{
    internal ThinkerBatch(
        int[] ids, Segments segments, Positions positions, int[] nextPositions, int[] audioRows, int[] imageRows, bool[] transcribed)
    {
        Ids = ids;
        Segments = segments;
        Positions = positions;
        NextPositions = nextPositions;
        AudioRows = audioRows;
        ImageRows = imageRows;
        Transcribed = transcribed;
    }

    /// <summary>Token ids of all items, packed.</summary>
    public int[] Ids { get; }

    /// <summary>Tokens of each item.</summary>
    public Segments Segments { get; }

    /// <summary>Time, height and width of each token (<c>get_rope_index</c>).</summary>
    public Positions Positions { get; }

    /// <summary>The position that a token generated after each item takes first.</summary>
    public int[] NextPositions { get; }

    /// <summary>For each token the row of the audio embeddings that stands there, or -1.</summary>
    public int[] AudioRows { get; }

    /// <summary>For each token the row of the image embeddings that stands there, or -1.</summary>
    public int[] ImageRows { get; }

    /// <summary>For each item whether its speech is written down elsewhere (<see cref="ThinkerInput.Transcribed"/>).</summary>
    public bool[] Transcribed { get; }

    /// <summary>The images and the speech of all items, in their order.</summary>
    public IReadOnlyList<MediaStretch> Media => [.. Enumerable.Range(0, Segments.Count).SelectMany(MediaOf)];

    /// <summary>The images and the speech of an item.</summary>
    internal List<MediaStretch> MediaOf(int item)
    {
        List<MediaStretch> media = [];
        for (int row = Segments.Start(item); row < Segments.Start(item + 1); row++)
        {
            bool audio = AudioRows[row] >= 0;
            if (!audio && ImageRows[row] < 0)
                continue;
            if (media.Count > 0 && media[^1].End == row && media[^1].IsAudio == audio)
                media[^1] = media[^1] with { Length = media[^1].Length + 1 };
            else
                media.Add(new MediaStretch(row, 1, audio));
        }
        return media;
    }
}
