using System.Numerics.Tensors;

namespace OmniFusion.Simultaneous;

/// <summary>
/// Tells speech from pauses by energy, frame by frame of 20 ms: a frame is voiced that is clearly louder than the noise floor, which falls
/// at once and rises slowly, so that it follows the quietest moments of the last seconds. What a converter adds to every sample is no energy.
/// </summary>
internal sealed class VoiceActivity
{
    /// <summary>Samples of a frame.</summary>
    internal const int FrameSamples = 320;

    /// <summary>Seconds of a frame.</summary>
    internal const double FrameSeconds = 0.02;

    // In dB of full scale. Nothing below the first is speech; the floor begins and never falls below the second.
    private const double Quietest = -55, LowestFloor = -70;

    // Somebody far from the microphone: so many frames lie between these two, and none ever above the first here. Then these count instead.
    private const double Loud = -35, FarQuietest = -73, FarLowestFloor = -85;
    private const int FarFrames = 15;

    // dB above the floor that make speech, and dB below the loudest of late that make a pause even over a lower floor.
    private const double Margin = 12, Depth = 38;

    // dB a second by which the floor rises, and the loudest falls.
    private const double FloorRise = 2, PeakFall = 3;

    // The mean of a frame of speech is not 0 either: the smallest offset that counts.
    private const double LeastOffset = 1e-3;

    private double _floor = LowestFloor, _peak = LowestFloor, _offset, _quietest = double.MaxValue;
    private int _faint;
    private bool _loud;

    /// <summary>Takes the next frame and says whether it is voiced.</summary>
    internal bool Next(ReadOnlySpan<float> frame)
    {
        double level = Level(frame);
        _loud |= level > Loud;
        _faint += level is > LowestFloor and <= Quietest ? 1 : 0;
        bool far = !_loud && _faint >= FarFrames;
        _floor = Math.Max(Math.Min(level, _floor + FloorRise * FrameSeconds), far ? FarLowestFloor : LowestFloor);
        _peak = Math.Max(level, _peak - PeakFall * FrameSeconds);
        return level > Math.Max(Math.Max(_floor + Margin, _peak - Depth), far ? FarQuietest : Quietest);
    }

    private double Level(ReadOnlySpan<float> frame)
    {
        if (frame.Length == 0)
            return Decibels(0);
        double power = TensorPrimitives.SumOfSquares(frame) / frame.Length, mean = TensorPrimitives.Sum(frame) / frame.Length;
        // An offset is heard where nothing else is: it is the mean of the quietest frame of late.
        double alone = Decibels(power - mean * mean);
        _quietest += FloorRise * FrameSeconds;
        if (alone <= _quietest)
            (_quietest, _offset) = (alone, mean);
        return Decibels(Math.Abs(_offset) > LeastOffset ? power - _offset * (2 * mean - _offset) : power);
    }

    private static double Decibels(double power) => 10 * Math.Log10(Math.Clamp(power, 1e-10, 1e10));
}
