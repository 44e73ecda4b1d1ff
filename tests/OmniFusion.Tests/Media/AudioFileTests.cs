using System.Diagnostics;
using OmniFusion.Media;

namespace OmniFusion.Tests.Media;

public sealed class AudioFileTests : IDisposable
{
    private readonly AudioTestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    public void Reads_integers(int bits)
    {
        int bytes = bits / 8, top = (int)((1L << (bits - 1)) - 1);
        byte[] data = AudioWavBuilder.Pcm(bytes, 0, 1, -1, top, -top - 1);
        float step = 1f / (1L << (bits - 1));
        foreach (bool extensible in (bool[])[false, true])
            Assert.Equal([0, step, -step, top * step, -1], Read(new() { Bits = bits, Data = data, Extensible = extensible }).Samples);
    }

    [Fact]
    public void Reads_bits_that_do_not_fill_their_bytes() =>
        Assert.Equal([0.5f, -0.5f], Read(new() { Bits = 20, Data = AudioWavBuilder.Pcm(3, 1 << 22, -1 << 22) }).Samples);

    [Fact]
    public void Reads_floats()
    {
        float[] samples = [0, 0.25f, -1, 3.5f];
        byte[] single = [.. samples.SelectMany(BitConverter.GetBytes)];
        byte[] twice = [.. samples.SelectMany(s => BitConverter.GetBytes((double)s))];
        Assert.Equal(samples, Read(new() { Tag = 3, Bits = 32, Data = single }).Samples);
        Assert.Equal(samples, Read(new() { Tag = 3, Bits = 64, Data = twice, Extensible = true }).Samples);
    }

    [Fact]
    public void Reads_a_law_and_mu_law()
    {
        Assert.Equal([8, -8, 32256, -32256, 264, 1888],
            Read(new() { Tag = 6, Bits = 8, Data = [0xD5, 0x55, 0xAA, 0x2A, 0xC5, 0xE8] }).Samples.Select(s => (int)(s * 32768)));
        Assert.Equal([0, 0, 32124, -32124, 8, 132],
            Read(new() { Tag = 7, Bits = 8, Data = [0xFF, 0x7F, 0x80, 0x00, 0xFE, 0xEF] }).Samples.Select(s => (int)(s * 32768)));
    }

    [Theory]
    [InlineData(2, 8000)]
    [InlineData(3, 22050)]
    [InlineData(8, 96000)]
    public void Mixes_the_channels_to_their_mean(int channels, int rate)
    {
        int[] samples = [.. Enumerable.Range(0, channels * 20000).Select(i => i * 7919 % 60000 - 30000)];
        Waveform sound = Read(new() { Channels = channels, Rate = (uint)rate, Data = AudioWavBuilder.Pcm(2, samples) });
        Assert.Equal(rate, sound.SampleRate);
        Assert.Equal(20000, sound.Samples.Length);
        for (int i = 0; i < sound.Samples.Length; i += 97)
            Assert.Equal(samples.Skip(i * channels).Take(channels).Average() / 32768, sound.Samples[i], 1e-6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Skips_strange_chunks_in_any_order(bool dataFirst) => Assert.Equal([0.5f], Read(new()
    {
        Bits = 8, Data = [192], Strangers = true, DataFirst = dataFirst,
    }).Samples);

    [Theory]
    [InlineData(0xFFFFFFFF, 0xFFFFFFFF)]
    [InlineData(0, 0)]
    [InlineData(36, 0)]
    [InlineData(0xFFFFFFFF, 0)]
    [InlineData(0x7FFFF024, 0x7FFFF000)]
    [InlineData(0x80000024, 0x80000000)]
    [InlineData(5, 2000)]
    [InlineData(0xFFFFFFFF, 2000)]
    public void Sizes_left_open_by_a_streaming_writer_mean_to_the_end(uint riffSize, uint dataSize)
    {
        int[] samples = [.. Enumerable.Range(-500, 1000)];
        byte[] file = new AudioWavBuilder { Data = AudioWavBuilder.Pcm(2, samples), RiffSize = riffSize, DataSize = dataSize }.Build();
        Assert.Equal(samples, ReadBytes(file).Samples.Select(s => (int)(s * 32768)));
    }

    [Theory]
    [InlineData("RF64", 4UL)]
    [InlineData("BW64", 4UL)]
    [InlineData("RF64", 0UL)]
    [InlineData("RF64", ulong.MaxValue)]
    [InlineData("RF64", null)]
    public void Reads_the_64_bit_forms(string magic, ulong? size) => Assert.Equal([0.5f, -0.5f], Read(new()
    {
        Magic = magic, RiffSize = uint.MaxValue, DataSize = uint.MaxValue, LongDataSize = size,
        Data = AudioWavBuilder.Pcm(2, 16384, -16384),
    }).Samples);

    [Fact]
    public void A_sound_of_many_blocks_is_whole()
    {
        float[] samples = [.. Enumerable.Range(0, 300_000).Select(i => i % 1000 / 1000f)];
        WavWriter.WriteFloat(_folder["long.wav"], samples, 24000);
        Assert.Equal(samples, AudioFile.Read(_folder["long.wav"]).Samples);
        Assert.Equal(Resampler.Resample(samples, 24000), AudioFile.ReadMono16k(_folder["long.wav"]));
    }

    [Fact]
    public void Errors_are_one_sentence_that_names_the_file()
    {
        byte[] data = AudioWavBuilder.Pcm(2, 1, 2, 3, 4);
        byte[] good = new AudioWavBuilder { Data = data }.Build();
        RefusedBytes([], "is empty");
        RefusedBytes("Guten Tag, ich bin ein Text."u8, "not a WAV file");
        RefusedBytes("RIFF"u8, "not a WAV file");
        RefusedBytes(good.AsSpan(0, 12), "format chunk");
        RefusedBytes(good.AsSpan(0, 30), "format chunk");
        RefusedBytes(good.AsSpan(0, 36), "data chunk");
        RefusedBytes(good.AsSpan(0, good.Length - 1), "truncated");
        Refused(new() { Data = data, DataSize = 1_000_000 }, "truncated");
        Refused(new() { Data = data, DataSize = 0x7FFFEFFF }, "truncated");
        Refused(new() { Magic = "RF64", Data = data, DataSize = uint.MaxValue, LongDataSize = 1UL << 50 }, "truncated");
        Refused(new() { Magic = "RF64", Data = data, DataSize = uint.MaxValue, LongDataSize = 1UL << 63 }, "truncated");
        Refused(new(), "0 samples");
        Refused(new() { DataSize = uint.MaxValue }, "0 samples");
        Refused(new() { Data = [1] }, "0 samples");
        Refused(new() { Data = data, Channels = 0 }, "0 channels");
        Refused(new() { Data = data, Channels = 65535, BytesPerFrame = 2 }, "65535 channels");
        Refused(new() { Data = data, Rate = 0 }, "0 samples per second");
        Refused(new() { Data = data, Rate = uint.MaxValue }, "4294967295 samples per second");
        Refused(new() { Data = data, Bits = 0 }, "0 bits");
        Refused(new() { Data = data, Bits = 65535 }, "65535 bits");
        Refused(new() { Data = data, Tag = 3, Bits = 16 }, "16 bits");
        Refused(new() { Data = data, BytesPerFrame = 3 }, "3 bytes");
        Refused(new() { Data = data, BytesPerFrame = 0 }, "0 bytes");
        Refused(new() { Data = data, Tag = 0x55 }, "compression");
        Refused(new() { Data = data, Magic = "RIFX" }, "big-endian");
        foreach (float bad in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue])
            Refused(new() { Tag = 3, Bits = 32, Data = [0, 0, 0, 0, .. BitConverter.GetBytes(bad)] }, "at sample 1");
        Refused(new() { Tag = 3, Bits = 64, Channels = 2, Data = [.. new byte[24], .. BitConverter.GetBytes(double.NaN)] }, "at sample 1");
    }

    [Fact]
    public void No_cut_and_no_flipped_byte_ends_in_anything_but_a_sentence()
    {
        byte[] good = new AudioWavBuilder { Data = AudioWavBuilder.Pcm(2, 1, 2, 3), Strangers = true, Extensible = true }.Build();
        for (int i = 0; i < good.Length; i++)
        {
            TryRead(good[..i]);
            foreach (byte value in (byte[])[0, 1, 0x7F, 0x80, 0xFF])
            {
                byte[] broken = [.. good];
                broken[i] = value;
                TryRead(broken);
            }
        }

        static void TryRead(byte[] file)
        {
            try
            {
                WavReader reader = new(new MemoryStream(file), "x.wav");
                float[] block = new float[100];
                while (reader.Read(block) > 0)
                    Assert.All(block, x => Assert.True(float.IsFinite(x)));
            }
            catch (OmniFusionException e)
            {
                Assert.StartsWith("x.wav ", e.Message);
            }
        }
    }

    [Fact]
    public void A_missing_file_and_a_folder_are_named()
    {
        foreach (Func<string, object> read in (Func<string, object>[])[AudioFile.Read, path => AudioFile.ReadMono16k(path)])
        {
            Assert.Contains("does not exist", Assert.Throws<OmniFusionException>(() => read(_folder["none.wav"])).Message);
            Assert.Contains("does not exist", Assert.Throws<OmniFusionException>(() => read("")).Message);
            Assert.Contains("folder", Assert.Throws<OmniFusionException>(() => read(Path.GetTempPath())).Message);
        }
    }

    [Fact]
    public void Without_ffmpeg_other_formats_are_refused_in_one_sentence()
    {
        string path = _folder.Write("speech.mp3", [1, 2, 3, 4, 5]);
        string message = Assert.Throws<OmniFusionException>(() => AudioFile.ReadMono16k(path, "no-such-program-here", default)).Message;
        Assert.StartsWith(path, message);
        Assert.Contains("not on the PATH", message);
        string wav = _folder.Write("wav.mp3", new AudioWavBuilder { Data = AudioWavBuilder.Pcm(2, 16384) }.Build());
        Assert.Equal([0.5f], AudioFile.ReadMono16k(wav, "no-such-program-here", default));
    }

    [Fact]
    public void What_the_decoder_gives_is_mixed_and_resampled_here()
    {
        string wav = Golden.Media("stereo44k.wav");
        float[] actual = AudioFile.ReadMono16k(_folder.Write("-odd name's.mp3", [1, 2, 3]), Program($"cat '{wav}'"), default);
        Assert.Equal(AudioFile.ReadMono16k(wav), actual);
    }

    [Fact]
    public void The_decoder_gets_the_path_as_one_safe_argument()
    {
        string path = _folder.Write("-y $(x) 'a\" b.mp3", [1, 2, 3]);
        string program = Program($"for a in \"$@\"; do echo \"$a\"; done > '{_folder["arguments"]}'; exit 1");
        Assert.Throws<OmniFusionException>(() => AudioFile.ReadMono16k(path, program, default));
        string[] arguments = File.ReadAllLines(_folder["arguments"]);
        Assert.Equal("file:" + path, arguments[Array.IndexOf(arguments, "-i") + 1]);
        Assert.Equal("file", arguments[Array.IndexOf(arguments, "-protocol_whitelist") + 1]);
    }

    [Theory]
    [InlineData("echo first >&2; echo 'Invalid data found.' >&2; exit 1", "Invalid data found.")]
    [InlineData("exit 3", "gave no reason.")]
    [InlineData("echo 'Stream map 0:a:0 matches no streams.' >&2; echo 'To ignore this, add a question mark.' >&2; exit 1", "has no sound track.")]
    [InlineData("cat '{wav}'; echo 'lost the track' >&2; exit 1", "lost the track.")]
    [InlineData("cat '{text}'; exit 0", "gave no reason.")]
    public void A_failing_decoder_is_quoted(string script, string ending)
    {
        string path = _folder.Write("speech.mp3", [1, 2, 3]);
        string program = Program(script.Replace("{wav}", Golden.Media("bat.wav")).Replace("{text}", path));
        string message = Assert.Throws<OmniFusionException>(() => AudioFile.ReadMono16k(path, program, default)).Message;
        Assert.StartsWith(path, message);
        Assert.EndsWith(ending, message);
    }

    [Fact]
    public void A_decoder_that_finds_nothing_and_fails_is_quoted()
    {
        string path = _folder.Write("speech.mp3", [1, 2, 3]), empty = _folder.Write("empty.wav", new AudioWavBuilder().Build());
        string program = Program($"cat '{empty}'; echo 'no such step' >&2; exit 69");
        Assert.EndsWith("no such step.", Assert.Throws<OmniFusionException>(() => AudioFile.ReadMono16k(path, program, default)).Message);
    }

    [Fact]
    public void A_hanging_decoder_can_be_cancelled()
    {
        using CancellationTokenSource stop = new(TimeSpan.FromMilliseconds(200));
        string path = _folder.Write("speech.mp3", [1, 2, 3]), program = Program("sleep 600");
        Assert.ThrowsAny<OperationCanceledException>(() => AudioFile.ReadMono16k(path, program, stop.Token));
    }

    [Fact]
    public void Cancelling_stops_a_wav_too() =>
        Assert.ThrowsAny<OperationCanceledException>(() => AudioFile.ReadMono16k(Golden.Media("bat.wav"), new CancellationToken(true)));

    [Fact]
    public void The_real_ffmpeg_decodes_lossless_sound_exactly()
    {
        string wav = Golden.Media("stereo44k.wav"), flac = _folder["-sound.flac"];
        Assert.SkipUnless(Convert(wav, flac), "ffmpeg is not installed");
        Assert.Equal(AudioFile.ReadMono16k(wav), AudioFile.ReadMono16k(flac));
        string text = _folder.Write("text.mp3", "Guten Tag, ich bin ein Text."u8.ToArray());
        Assert.Contains("ffmpeg says", Assert.Throws<OmniFusionException>(() => AudioFile.ReadMono16k(text)).Message);
        string picture = Golden.Media("slide.png");
        Assert.Equal($"{picture} has no sound track.", Assert.Throws<OmniFusionException>(() => AudioFile.ReadMono16k(picture)).Message);
    }

    [Fact]
    public void Writes_16_bits_rounded_and_clipped()
    {
        WavWriter.WritePcm16(_folder["a.wav"], [0, 0.5f, 0.4f / 32768, 0.6f / 32768, 1, -1, 7, -7], 8000);
        Waveform back = AudioFile.Read(_folder["a.wav"]);
        Assert.Equal([0, 16384, 0, 1, 32767, -32768, 32767, -32768], back.Samples.Select(s => (int)(s * 32768)));
        Assert.Equal((8000, TimeSpan.FromMilliseconds(1)), (back.SampleRate, back.Duration));
    }

    [Fact]
    public void Writes_floats_exactly_and_leaves_nothing_else()
    {
        WavWriter.WriteFloat(_folder["a.wav"], [0.1f, -2], 96000);
        WavWriter.WriteFloat(_folder["a.wav"], [0.3f], 16000);
        Assert.Equal([0.3f], AudioFile.Read(_folder["a.wav"]).Samples);
        Assert.Equal(["a.wav"], _folder.Files);
    }

    [Fact]
    public void What_cannot_be_written_leaves_nothing()
    {
        string missing = Path.Combine(_folder["none"], "a.wav");
        Assert.StartsWith(missing, Assert.Throws<OmniFusionException>(() => WavWriter.WriteFloat(missing, [0], 16000)).Message);
        Assert.Throws<OmniFusionException>(() => WavWriter.WritePcm16(_folder["a.wav"], [0, float.NaN], 16000));
        Directory.CreateDirectory(_folder["b.wav"]);
        Assert.Throws<OmniFusionException>(() => WavWriter.WritePcm16(_folder["b.wav"], [0], 16000));
        Assert.Empty(_folder.Files);
    }

    private Waveform Read(AudioWavBuilder wav) => ReadBytes(wav.Build());

    private Waveform ReadBytes(byte[] file) => AudioFile.Read(_folder.Write("test.wav", file));

    private void Refused(AudioWavBuilder wav, string reason) => RefusedBytes(wav.Build(), reason);

    private void RefusedBytes(ReadOnlySpan<byte> file, string reason)
    {
        string path = _folder.Write("bad.wav", file.ToArray());
        string message = Assert.Throws<OmniFusionException>(() => AudioFile.Read(path)).Message;
        Assert.StartsWith(path, message);
        Assert.Contains(reason, message);
        Assert.EndsWith(".", message);
        Assert.DoesNotContain('\n', message);
    }

    private string Program(string script)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a shell script");
        string path = _folder.Write("program.sh", System.Text.Encoding.UTF8.GetBytes($"#!/bin/sh\n{script}\n"));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }

    private static bool Convert(string from, string to)
    {
        try
        {
            using Process process = Process.Start("ffmpeg", ["-nostdin", "-v", "quiet", "-i", from, to]);
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
