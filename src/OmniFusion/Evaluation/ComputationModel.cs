namespace OmniFusion.Evaluation;

/// <summary>
/// When a word is out if computation takes time: what "computation-aware" means. A step begins when its audio is complete; the three
/// conventions differ in what earlier steps cost it.
/// </summary>
public enum ComputationModel
{
    /// <summary>
    /// As a listener has it: computation goes on while audio is awaited, and a step waits only for steps that are not done yet. With audio
    /// complete at a and computation c, the step is out at max(a, the time the step before was out) + c.
    /// </summary>
    RealTime,

    /// <summary>
    /// SimulEval's <c>elapsed</c>: audio heard plus all computation since the start, as if nobody spoke while the system computes. On long
    /// recordings it grows without bound.
    /// </summary>
    Cumulative,

    /// <summary>simulstream's: audio heard plus the computation of this step alone, as if every step found an idle machine.</summary>
    PerStep,
}

/// <summary>When the steps of one recording are out.</summary>
internal sealed class ComputationClock(ComputationModel model)
{
    private double _computation, _out;

    /// <summary>The time at which the next step is out, in the unit of its arguments.</summary>
    public double Next(double audio, double computation)
    {
        _computation += computation;
        _out = Math.Max(audio, _out) + computation;
        return model switch
        {
            ComputationModel.RealTime => _out,
            ComputationModel.Cumulative => audio + _computation,
            _ => audio + computation,
        };
    }
}
