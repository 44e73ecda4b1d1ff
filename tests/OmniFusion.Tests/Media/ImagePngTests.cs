using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using OmniFusion.Media;

namespace OmniFusion.Tests.Media;

public class ImagePngTests
{
    public static TheoryData<int, int, bool> AllKinds
    {
        get
        {
            TheoryData<int, int, bool> kinds = [];
            (int, int[])[] all = [(0, [1, 2, 4, 8, 16]), (2, [8, 16]), (3, [1, 2, 4, 8]), (4, [8, 16]), (6, [8, 16])];
            foreach ((int colour, int[] depths) in all)
                foreach (int depth in depths)
                {
                    kinds.Add(colour, depth, false);
                    kinds.Add(colour, depth, true);
                }
            return kinds;
        }
    }

    [Theory, MemberData(nameof(AllKinds))]
    public void Every_colour_type_depth_and_interlacing_is_read(int colour, int depth, bool interlaced)
    {
        Random random = new(colour * 100 + depth);
        byte[] palette = new byte[3 << Math.Min(depth, 8)];
        random.NextBytes(palette);
        // All small sizes: some Adam7 passes are then empty.
        foreach ((int width, int height) in new[] { (1, 1), (1, 9), (3, 2), (5, 5), (13, 11), (32, 3) })
        {
            int[] samples = new int[width * height * 4];
            for (int i = 0; i < samples.Length; i++)
                samples[i] = random.Next(1 << depth);
            int At(int x, int y, int c) => samples[(y * width + x) * 4 + c];
            ImagePngMaker maker = new()
            {
                Width = width, Height = height, Depth = depth, Colour = colour, Interlaced = interlaced, Sample = At, Parts = 3,
                Palette = colour == 3 ? palette : null,
            };
            RgbImage image = PngDecoder.Decode(maker.Make(), "made");
            Assert.Equal((width, height), (image.Width, image.Height));
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++)
                    for (int c = 0; c < 3; c++)
                    {
                        int Level(int sample) =>
                            depth == 16 ? At(x, y, sample) / 256 : (int)Math.Round(At(x, y, sample) * 255.0 / ((1 << depth) - 1));
                        int expected = colour switch
                        {
                            0 => Level(0),
                            2 => Level(c),
                            3 => palette[At(x, y, 0) * 3 + c],
                            4 => OverWhite(Level(0), Level(1)),
                            _ => OverWhite(Level(c), Level(3)),
                        };
                        Assert.Equal(expected, image.Pixels[(y * width + x) * 3 + c]);
                    }
        }
    }

    [Theory]
    [InlineData(1, new byte[] { 0, 1 }, 1)]
    [InlineData(8, new byte[] { 0, 77 }, 77)]
    [InlineData(16, new byte[] { 3, 4 }, 0x304)]
    public void The_transparent_gray_becomes_white(int depth, byte[] transparency, int clear)
    {
        int other = clear ^ 1;
        ImagePngMaker maker = new()
        {
            Width = 2, Depth = depth, Colour = 0, Transparency = transparency, Sample = (x, _, _) => x == 0 ? clear : other,
        };
        byte level = (byte)(depth == 16 ? other >> 8 : other * 255 / ((1 << depth) - 1));
        Assert.Equal([255, 255, 255, level, level, level], PngDecoder.Decode(maker.Make(), "made").Pixels);
    }

    [Fact]
    public void The_transparent_colour_becomes_white_only_where_all_16_bits_agree()
    {
        ImagePngMaker maker = new()
        {
            Width = 2, Depth = 16, Transparency = [1, 2, 3, 4, 5, 6],
            Sample = (x, _, c) => (2 * c + 1) * 256 + 2 * c + 2 + (x == 1 && c == 2 ? 1 : 0),
        };
        Assert.Equal([255, 255, 255, 1, 3, 5], PngDecoder.Decode(maker.Make(), "made").Pixels);
    }

    [Fact]
    public void Palette_alphas_are_laid_over_white_and_missing_ones_are_opaque()
    {
        ImagePngMaker maker = new()
        {
            Width = 3, Depth = 2, Colour = 3, Palette = [10, 20, 30, 40, 50, 60, 70, 80, 90], Transparency = [0, 128],
            Sample = (x, _, _) => x,
        };
        byte[] expected = [255, 255, 255, (byte)OverWhite(40, 128), (byte)OverWhite(50, 128), (byte)OverWhite(60, 128), 70, 80, 90];
        Assert.Equal(expected, PngDecoder.Decode(maker.Make(), "made").Pixels);
    }

    [Fact]
    public void Gray_of_16_bits_keeps_its_high_byte()
    {
        RgbImage image = ImageFile.Read(Golden.Media("gray16.png"), TestContext.Current.CancellationToken);
        Assert.Equal((30, 20), (image.Width, image.Height));
        Assert.True(image.Pixels.Distinct().Count() > 10, "a gradient, not clipped to white");
    }

    public static TheoryData<string, string> Broken => new()
    {
        { "no signature", "signature" },
        { "empty", "signature" },
        { "signature only", "cut short" },
        { "cut in data", "cut short" },
        { "no end", "cut short" },
        { "chunk of 4 GB", "cut short" },
        { "wrong checksum", "checksum of chunk IDAT" },
        { "no header", "IHDR" },
        { "second header", "second header" },
        { "short header", "12 bytes" },
        { "no width", "0 x 1" },
        { "60000 x 60000", "limit" },
        { "13000 x 13000", "far more" },
        { "depth 3", "3 bits" },
        { "colour 5", "colour type 5" },
        { "interlace 2", "interlace 2" },
        { "no palette", "PLTE" },
        { "bad palette", "PLTE" },
        { "palette index", "colour 2 of a palette of 2" },
        { "long transparency", "tRNS" },
        { "no data", "IDAT" },
        { "interrupted data", "interrupted" },
        { "too little data", "less than" },
        { "too much data", "more than" },
        { "no zlib header", "damaged" },
        { "wrong sum of the data", "damaged" },
        { "cut stream", "less than" },
        { "filter 5", "filter 5" },
        { "unknown critical chunk", "ABCD" },
    };

    [Theory, MemberData(nameof(Broken))]
    public void Broken_files_are_refused_with_a_sentence(string what, string because)
    {
        OmniFusionException error = Assert.Throws<OmniFusionException>(() => PngDecoder.Decode(Break(what), "slide.png"));
        Assert.Contains(because, error.Message, StringComparison.Ordinal);
        Assert.Contains("slide.png", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_that_lies_costs_no_memory()
    {
        byte[] file = Break("13000 x 13000");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<OmniFusionException>(() => PngDecoder.Decode(file, "lie"));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000);
    }

    [Fact]
    public void Data_that_asks_for_a_dictionary_is_damaged()
    {
        byte[] file = new ImagePngMaker { Width = 9, Height = 7, Colour = 2, Sample = (x, y, c) => (x + y + c) % 10 }.Make();
        int data = file.AsSpan().IndexOf("IDAT"u8) + 4;
        // RFC 1950: the bit of a preset dictionary, and a header that is a multiple of 31.
        (file[data], file[data + 1]) = (0x78, 0xBB);
        RepairChecksums(file);
        OmniFusionException error = Assert.Throws<OmniFusionException>(() => PngDecoder.Decode(file, "asking"));
        Assert.Contains("compressed data is damaged", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Flipped_bytes_end_in_a_sentence_or_a_picture()
    {
        byte[][] files = [.. new[] { false, true }.SelectMany(interlaced => new[] { 0, 2, 3, 4, 6 }.Select(colour => new ImagePngMaker
        {
            Width = 9, Height = 7, Colour = colour, Interlaced = interlaced, Palette = colour == 3 ? new byte[30] : null,
            Sample = (x, y, c) => (x + y + c) % 10,
        }.Make()))];
        Prop.ForAll(ArbMap.Default.ArbFor<(int, int, byte)[]>(), ArbMap.Default.ArbFor<bool>(), (flips, repair) =>
        {
            foreach (byte[] original in files)
            {
                byte[] file = [.. original];
                foreach ((int where, int more, byte value) in flips)
                    file[(int)(((uint)where * 31 + (uint)more) % file.Length)] ^= value;
                if (repair)
                    RepairChecksums(file);
                try
                {
                    PngDecoder.Decode(file, "flipped");
                }
                catch (OmniFusionException)
                {
                }
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_the_writer_writes_is_read_back()
    {
        string folder = Directory.CreateTempSubdirectory("omnifusion").FullName;
        try
        {
            byte[] pixels = new byte[37 * 23 * 3];
            new Random(1).NextBytes(pixels);
            string path = Path.Combine(folder, "a.png");
            PngWriter.Write(path, new RgbImage(2, 2, new byte[12]));
            PngWriter.Write(path, new RgbImage(37, 23, pixels));
            RgbImage back = ImageFile.Read(path, TestContext.Current.CancellationToken);
            Assert.Equal((37, 23), (back.Width, back.Height));
            Assert.Equal(pixels, back.Pixels);
            Assert.Equal([path], Directory.GetFiles(folder));
            Assert.Throws<OmniFusionException>(() => PngWriter.Write(Path.Combine(folder, "none", "a.png"), back));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int OverWhite(int value, int alpha) => (int)Math.Round((value * alpha + 255.0 * (255 - alpha)) / 255);

    private static byte[] Break(string what)
    {
        ImagePngMaker good = new() { Width = 40, Height = 30, Sample = (x, y, c) => x * y + c & 255 };
        byte[] file = good.Make(), header = good.Header(), compressed = good.Compressed();
        byte[] data = ImagePngMaker.Chunk("IDAT", compressed), end = ImagePngMaker.Chunk("IEND");
        byte[] wrongSum = ImagePngMaker.Chunk("IDAT", [.. compressed[..^1], (byte)~compressed[^1]]);
        byte[] Header(int width, int height, int depth, int colour, int interlace = 0) =>
            ImagePngMaker.Chunk("IHDR", [0, 0, (byte)(width >> 8), (byte)width, 0, 0, (byte)(height >> 8), (byte)height,
                (byte)depth, (byte)colour, 0, 0, (byte)interlace]);
        return what switch
        {
            "no signature" => "This is text, not a picture."u8.ToArray(),
            "empty" => [],
            "signature only" => file[..8],
            "cut in data" => file[..100],
            "no end" => file[..^12],
            "chunk of 4 GB" => [.. file[..33], 255, 255, 255, 255, .. file[37..]],
            "wrong checksum" => [.. file[..^13], (byte)(file[^13] ^ 1), .. file[^12..]],
            "no header" => ImagePngMaker.File(data, end),
            "second header" => ImagePngMaker.File(header, header, data, end),
            "short header" => ImagePngMaker.File(ImagePngMaker.Chunk("IHDR", new byte[12]), data, end),
            "no width" => ImagePngMaker.File(Header(0, 1, 8, 2), data, end),
            "60000 x 60000" => ImagePngMaker.File(Header(60000, 60000, 8, 2), data, end),
            "13000 x 13000" => ImagePngMaker.File(Header(13000, 13000, 8, 2), data, end),
            "depth 3" => ImagePngMaker.File(Header(40, 30, 3, 0), data, end),
            "colour 5" => ImagePngMaker.File(Header(40, 30, 8, 5), data, end),
            "interlace 2" => ImagePngMaker.File(Header(40, 30, 8, 2, 2), data, end),
            "no palette" => ImagePngMaker.File(Header(40, 30, 8, 3), data, end),
            "bad palette" => ImagePngMaker.File(Header(40, 30, 8, 3), ImagePngMaker.Chunk("PLTE", new byte[4]), data, end),
            "palette index" =>
                new ImagePngMaker { Width = 4, Depth = 2, Colour = 3, Palette = new byte[6], Sample = (x, _, _) => x == 3 ? 2 : 1 }.Make(),
            "long transparency" => new ImagePngMaker { Colour = 3, Palette = new byte[6], Transparency = new byte[3] }.Make(),
            "no data" => ImagePngMaker.File(header, end),
            "interrupted data" => ImagePngMaker.File(header, data, ImagePngMaker.Chunk("tEXt", 1), data, end),
            "too little data" => new ImagePngMaker { Width = 40, Height = 30, Distort = d => d[..^1] }.Make(),
            "too much data" => new ImagePngMaker { Width = 40, Height = 30, Distort = d => [.. d, 0] }.Make(),
            "no zlib header" => ImagePngMaker.File(header, ImagePngMaker.Chunk("IDAT", [255, .. compressed[1..]]), end),
            "wrong sum of the data" => ImagePngMaker.File(header, wrongSum, end),
            "cut stream" => ImagePngMaker.File(header, ImagePngMaker.Chunk("IDAT", compressed[..(compressed.Length / 2)]), end),
            "filter 5" => new ImagePngMaker { Width = 40, Height = 30, Filter = _ => 5 }.Make(),
            "unknown critical chunk" => ImagePngMaker.File(header, ImagePngMaker.Chunk("ABCD"), data, end),
            _ => throw new ArgumentException(what),
        };
    }

    private static void RepairChecksums(byte[] file)
    {
        for (int at = 8; at + 12 <= file.Length;)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            if (length > file.Length - at - 12)
                return;
            BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(at + 8 + (int)length), PngFormat.Crc(file.AsSpan(at + 4, 4 + (int)length)));
            at += 12 + (int)length;
        }
    }
}
