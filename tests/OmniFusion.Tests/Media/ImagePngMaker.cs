using System.Buffers.Binary;
using System.IO.Compression;

namespace OmniFusion.Tests.Media;

/// <summary>An encoder for the tests, apart from the decoder: any colour type, depth, interlacing and filter, and any damage.</summary>
internal sealed class ImagePngMaker
{
    private static readonly (int X, int Y, int DX, int DY)[] Passes =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    public int Width { get; init; } = 1;

    public int Height { get; init; } = 1;

    public int Depth { get; init; } = 8;

    /// <summary>0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha.</summary>
    public int Colour { get; init; } = 2;

    public bool Interlaced { get; init; }

    public byte[]? Palette { get; init; }

    public byte[]? Transparency { get; init; }

    /// <summary>The filter of a row, by its number within the pass.</summary>
    public Func<int, int> Filter { get; init; } = row => row % 5;

    /// <summary>Sample c of pixel (x, y).</summary>
    public Func<int, int, int, int> Sample { get; init; } = (_, _, _) => 0;

    /// <summary>Changes the filtered data before it is compressed.</summary>
    public Func<byte[], byte[]> Distort { get; init; } = data => data;

    /// <summary>How many IDAT chunks the compressed data is cut into.</summary>
    public int Parts { get; init; } = 1;

    private int Samples => Colour switch { 0 or 3 => 1, 2 => 3, 4 => 2, _ => 4 };

    public static byte[] Chunk(string type, params byte[] data)
    {
        byte[] chunk = [0, 0, 0, 0, .. type.Select(c => (byte)c), .. data, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc(chunk.AsSpan(4, chunk.Length - 8)));
        return chunk;
    }

    public static byte[] File(params IEnumerable<byte[]> chunks) =>
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, .. chunks.SelectMany(c => c)];

    public byte[] Header()
    {
        byte[] data = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(data, Width);
        BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(4), Height);
        (data[8], data[9], data[12]) = ((byte)Depth, (byte)Colour, (byte)(Interlaced ? 1 : 0));
        return Chunk("IHDR", data);
    }

    public byte[] Make()
    {
        List<byte[]> chunks = [Header(), Chunk("tEXt", 65, 0, 66)];
        if (Palette is not null)
            chunks.Add(Chunk("PLTE", Palette));
        if (Transparency is not null)
            chunks.Add(Chunk("tRNS", Transparency));
        byte[] compressed = Compressed();
        int part = (compressed.Length + Parts - 1) / Parts;
        chunks.AddRange(compressed.Chunk(part).Select(piece => Chunk("IDAT", piece)));
        chunks.Add(Chunk("IEND"));
        return File(chunks);
    }

    public byte[] Compressed()
    {
        List<byte> rows = [];
        foreach ((int x, int y, int dx, int dy) in Interlaced ? Passes : [(0, 0, 1, 1)])
            AddPass(rows, x, y, dx, dy);
        using MemoryStream target = new();
        using (ZLibStream zlib = new(target, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(Distort([.. rows]));
        return target.ToArray();
    }

    private void AddPass(List<byte> rows, int x0, int y0, int dx, int dy)
    {
        byte[]? above = null;
        for (int y = y0, row = 0; y < Height && x0 < Width; y += dy, row++)
        {
            List<bool> bits = [];
            for (int x = x0; x < Width; x += dx)
                for (int c = 0; c < Samples; c++)
                    for (int bit = Depth - 1; bit >= 0; bit--)
                        bits.Add((Sample(x, y, c) >> bit & 1) != 0);
            byte[] line = [.. bits.Chunk(8).Select(b => (byte)b.Select((on, i) => on ? 128 >> i : 0).Sum())];
            above ??= new byte[line.Length];
            rows.Add((byte)Filter(row));
            int back = Math.Max(1, Samples * Depth / 8);
            for (int i = 0; i < line.Length; i++)
            {
                int left = i < back ? 0 : line[i - back], corner = i < back ? 0 : above[i - back];
                rows.Add((byte)(line[i] - Filter(row) switch
                {
                    1 => left,
                    2 => above[i],
                    3 => (left + above[i]) / 2,
                    4 => new[] { left, above[i], corner }.MinBy(p => Math.Abs(left + above[i] - corner - p)),
                    _ => 0,
                }));
            }
            above = line;
        }
    }

    private static uint Crc(ReadOnlySpan<byte> data)
    {
        uint crc = ~0u;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++)
                crc = crc >> 1 ^ (0xEDB88320 & (uint)-(int)(crc & 1));
        }
        return ~crc;
    }
}
