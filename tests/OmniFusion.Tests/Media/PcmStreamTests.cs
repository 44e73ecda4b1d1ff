using OmniFusion.Media;

namespace OmniFusion.Tests.Media;

public sealed class PcmStreamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    public void SamplesComeWholeHoweverTheyArrive(int bytesAtOnce)
    {
        short[] samples = [0, 1, -1, 16384, short.MinValue, short.MaxValue];
        byte[] bytes = [.. samples.SelectMany(BitConverter.GetBytes)];
        List<float> heard = [];
        long count = PcmStream.Read(new Trickle(bytes, bytesAtOnce), some => heard.AddRange(some.ToArray()));
        Assert.Equal(samples.Length, count);
        Assert.Equal(samples.Select(sample => sample / 32768f), heard);
    }

    [Fact]
    public void HalfASampleAtTheEndIsNone()
    {
        List<float> heard = [];
        Assert.Equal(1, PcmStream.Read(new MemoryStream([0, 64, 7]), some => heard.AddRange(some.ToArray())));
        Assert.Equal([0.5f], heard);
        Assert.Equal(0, PcmStream.Read(new MemoryStream(), _ => Assert.Fail("there is nothing")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    public void AWavFileIsRefused(int bytesAtOnce) =>
        Assert.Contains("WAV", Assert.Throws<OmniFusionException>(() => PcmStream.Read(
            new Trickle([.. "RIFF"u8, 8, 0, 0, 0, .. "WAVE"u8, 1, 0], bytesAtOnce), _ => Assert.Fail("that is no sound"))).Message);

    [Fact]
    public void ACallerMayStop()
    {
        using CancellationTokenSource stop = new();
        int pieces = 0;
        Assert.Throws<OperationCanceledException>(() => PcmStream.Read(new Trickle(new byte[100], 2), _ =>
        {
            if (++pieces == 3)
                stop.Cancel();
        }, stop.Token));
        Assert.Equal(3, pieces);
    }

    /// <summary>A stream that gives a few bytes at a time, as a pipe may.</summary>
    private sealed class Trickle(byte[] bytes, int atOnce) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, atOnce));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, atOnce)]);
    }
}
