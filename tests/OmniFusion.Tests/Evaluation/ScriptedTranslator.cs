using OmniFusion.Media;
using OmniFusion.Simultaneous;

namespace OmniFusion.Tests.Evaluation;

/// <summary>A clock that stands still unless told.</summary>
internal sealed class ManualClock : TimeProvider
{
    private long _now;

    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => _now;

    public void Pass(double seconds) => _now += (long)Math.Round(seconds * TimestampFrequency);
}

/// <summary>What a scripted step does.</summary>
internal readonly record struct ScriptedStep(double Seconds, string Text, int Deleted = 0);

/// <summary>Says what it is told to, and takes the time that it is told to take.</summary>
internal sealed class ScriptedTranslator(ManualClock clock, params ScriptedStep[] script) : ISimultaneousTranslator
{
    private int _at, _samples;

    public bool Disposed { get; private set; }

    public List<int> Pushed { get; } = [];

    public IReadOnlyList<StreamEvent> Push(ReadOnlySpan<float> samples, CancellationToken cancellation = default)
    {
        Pushed.Add(samples.Length);
        _samples += samples.Length;
        return Step();
    }

    public IReadOnlyList<StreamEvent> Finish(CancellationToken cancellation = default) => Step();

    /// <summary>Samples heard when images were shown, and their widths.</summary>
    public List<(int At, int? Width)> Shown { get; } = [];

    public void Show(RgbImage? image) => Shown.Add((_samples, image?.Width));

    public void Dispose() => Disposed = true;

    private StreamEvent[] Step()
    {
        ScriptedStep step = _at < script.Length ? script[_at++] : default;
        clock.Pass(step.Seconds);
        string text = step.Text ?? "";
        // In two events: what a step takes back, and what it adds.
        return [Event("", step.Deleted), Event(text, 0)];

        StreamEvent Event(string added, int deleted) => new(_samples / 16000.0, 0, added, "", deleted, false);
    }
}
