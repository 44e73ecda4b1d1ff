using System.Numerics.Tensors;

namespace OmniFusion.Simultaneous;

/// <summary>
/// Tells speech from pauses by energy, frame by frame of 20 ms: a frame is voiced that is clearly louder than the noise floor, which falls
/// at once and rises slowly, so that it follows the quietest moments of the last seconds.
/// </summary>
internal sealed class VoiceActivity
{
    /// <summary>Samples of a frame.</summary>
    internal const int FrameSamples = 320;

    /// <summary>Seconds of a frame.</summary>
    internal const double FrameSeconds = 0.02;

    // In dB of full scale. Nothing below the first is speech; the floor begins and never falls below the second.
    private const double Quietest = -55, LowestFloor = -70;

    // dB above the floor that make speech, and dB below the loudest of late that make a pause even over a lower floor.
    private const double Margin = 12, Depth = 38;

    // dB a second by which the floor rises, and the loudest falls.
    private const double FloorRise = 2, PeakFall = 3;

    private double _floor = LowestFloor, _peak = LowestFloor;

    /// <summary>Takes the next frame and says whether it is voiced.</summary>
    internal bool Next(ReadOnlySpan<float> frame)
    {
        double power = frame.Length == 0 ? 0 : TensorPrimitives.SumOfSquares(frame) / frame.Length;
        double level = 10 * Math.Log10(Math.Clamp(power, 1e-10, 1e10));
        _floor = Math.Max(Math.Min(level, _floor + FloorRise * FrameSeconds), LowestFloor);
        _peak = Math.Max(level, _peak - PeakFall * FrameSeconds);
        return level > Math.Max(Math.Max(_floor + Margin, _peak - Depth), Quietest);
    }
}
