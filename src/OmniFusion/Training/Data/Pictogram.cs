using System.Text.Json.Serialization;

namespace OmniFusion.Training.Data;

/// <summary>What a pictogram shows, whoever drew it.</summary>
/// <param name="Hexcode">Its code points in lower-case hexadecimal, joined by hyphens: <c>1f469-200d-1f3eb</c>.</param>
/// <param name="Name">English name in words, such as <c>woman teacher</c>.</param>
/// <param name="ShortName">The usual short name in words, such as <c>female teacher</c>; now and then only a code, such as <c>u7a7a</c>.</param>
/// <param name="Category">Such as <c>Animals &amp; Nature</c>.</param>
/// <param name="Subcategory">Such as <c>animal-mammal</c>.</param>
/// <param name="BaseHexcode">Of a variant in another skin tone, the pictogram that it varies; null for all others.</param>
public sealed record PictogramInfo(
    string Hexcode, string Name, string ShortName, string Category, string Subcategory, string? BaseHexcode)
{
    private static readonly HashSet<string> s_lettered =
        ["time", "money", "office", "book-paper", "hotel", "mail", "computer", "transport-sign", "alphanum", "keycap"];

    /// <summary>Whether its mirror image would show something else: letters, numbers, flags, or a left that becomes a right.</summary>
    [JsonIgnore]
    public bool IsTextLike =>
        Category is "Symbols" or "Flags" || s_lettered.Contains(Subcategory)
        || Name.Contains("left", StringComparison.Ordinal) || Name.Contains("right", StringComparison.Ordinal);
}

/// <summary>A pictogram as one maker drew it.</summary>
public sealed class Pictogram
{
    /// <summary>Pixels in a row, and rows.</summary>
    public const int Side = 64;

    /// <summary>Bytes of a bitmap.</summary>
    public const int ByteCount = Side * Side * 4;

    private readonly Func<byte[]> _read;
    private byte[]? _pixels;

    /// <summary>A pictogram in memory; the bitmap is not copied.</summary>
    /// <param name="info">What it shows.</param>
    /// <param name="maker">Who drew it.</param>
    /// <param name="pixels">[64, 64, 4] bytes: red, green, blue, alpha, the colours not multiplied by alpha.</param>
    /// <exception cref="ArgumentException">The bitmap has another size.</exception>
    public Pictogram(PictogramInfo info, string maker, byte[] pixels)
        : this(info, maker, () => pixels)
    {
        if (pixels.Length != ByteCount)
            throw new ArgumentException($"A pictogram has {ByteCount} bytes, not {pixels.Length}.", nameof(pixels));
        _pixels = pixels;
    }

    internal Pictogram(PictogramInfo info, string maker, Func<byte[]> read) => (Info, Maker, _read) = (info, maker, read);

    /// <summary>What it shows.</summary>
    public PictogramInfo Info { get; }

    /// <summary>Who drew it, such as <c>google</c>.</summary>
    public string Maker { get; }

    /// <summary>[64, 64, 4] bytes: red, green, blue, alpha, the colours not multiplied by alpha. Read when first asked for.</summary>
    /// <exception cref="OmniFusionException">The pack cannot be read.</exception>
    public ReadOnlySpan<byte> Pixels => _pixels ??= _read();
}
