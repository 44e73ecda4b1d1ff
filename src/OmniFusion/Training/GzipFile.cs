using System.IO.Compression;

namespace OmniFusion.Training;

/// <summary>Gzipped files, of which a missing end is an error: by itself <see cref="GZipStream"/> takes what there is for the whole.</summary>
public static class GzipFile
{
    // A member of its own, put behind a file: it comes out only where all before it is whole.
    private static readonly byte[] s_end = "\0end of the file\0"u8.ToArray(), s_packedEnd = Pack(s_end);

    /// <summary>What a file holds, from the beginning; it may have several members.</summary>
    /// <exception cref="IOException">The file cannot be read, or holds more than 2 GB.</exception>
    /// <exception cref="InvalidDataException">It is no gzipped file, damaged or cut off.</exception>
    public static Stream Read(Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        using MemoryStream packed = new();
        file.CopyTo(packed);
        packed.Write(s_packedEnd);
        packed.Position = 0;
        MemoryStream content = new();
        try
        {
            using GZipStream unpacked = new(packed, CompressionMode.Decompress);
            unpacked.CopyTo(content);
        }
        catch (InvalidDataException error)
        {
            throw Bad(error);
        }
        if (!content.GetBuffer().AsSpan(0, (int)content.Length).EndsWith(s_end))
            throw Bad(null);
        content.SetLength(content.Length - s_end.Length);
        content.Position = 0;
        return content;
    }

    private static InvalidDataException Bad(Exception? error) => new("it is no gzipped file, or it is damaged or cut off.", error);

    private static byte[] Pack(byte[] content)
    {
        using MemoryStream packed = new();
        using (GZipStream stream = new(packed, CompressionLevel.Optimal))
            stream.Write(content);
        return packed.ToArray();
    }
}
