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

    /// <summary>First row and number of rows of each image and of each stretch of speech of an item.</summary>
    internal List<(int Start, int Length)> Media(int item)
    {
        List<(int Start, int Length)> media = [];
        (bool Image, bool Audio) last = default;
        for (int row = Segments.Start(item); row < Segments.Start(item + 1); row++)
        {
            (bool Image, bool Audio) kind = (ImageRows[row] >= 0, AudioRows[row] >= 0 && !Transcribed[item]);
            if (kind != default && kind == last)
                media[^1] = (media[^1].Start, media[^1].Length + 1);
            else if (kind != default)
                media.Add((row, 1));
            last = kind;
        }
        return media;
    }
}
