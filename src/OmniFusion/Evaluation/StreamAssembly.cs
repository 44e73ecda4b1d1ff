namespace OmniFusion.Evaluation;

/// <summary>
/// Puts the text of a recording together from what its steps added and took back, and remembers the time of each unit's last change, as
/// simulstream's reader does.
/// </summary>
internal sealed class StreamAssembly(
    string name, LatencyUnit unit, ComputationModel model, Func<IReadOnlyList<string>, string> detokenize)
{
    private readonly List<string> _tokens = [];
    private readonly List<double> _ideal = [], _aware = [];
    private readonly ComputationClock _clock = new(model);
    private string[] _units = [];
    private int _deleted, _steps;
    private double _audio, _computation;

    public string Name => name;

    /// <summary>Takes a step.</summary>
    /// <param name="audio">Seconds of audio heard.</param>
    /// <param name="computation">Seconds that the step computed.</param>
    /// <param name="deleted">The last tokens, which are taken back.</param>
    /// <param name="generated">The tokens that follow the rest.</param>
    /// <exception cref="OmniFusionException">A time is impossible, or the deleted tokens are not the last ones.</exception>
    public void Take(double audio, double computation, IReadOnlyList<string> deleted, IReadOnlyList<string> generated)
    {
        if (!(audio >= _audio && double.IsFinite(audio)))
            throw new OmniFusionException($"{name} has heard {audio} seconds of audio after {_audio}, which cannot be.");
        if (!(computation >= 0 && double.IsFinite(computation)))
            throw new OmniFusionException($"a step of {name} computed for {computation} seconds, which cannot be.");
        _steps++;
        _audio = audio;
        _computation += computation;
        double aware = _clock.Next(audio, computation);
        if (deleted.Count > 0)
        {
            if (deleted.Count > _tokens.Count || !_tokens.Skip(_tokens.Count - deleted.Count).SequenceEqual(deleted))
                throw new OmniFusionException($"the deleted tokens of {name} are not the last ones that were put out.");
            _deleted += StreamOutput.Units(detokenize(deleted), unit).Length;
            _tokens.RemoveRange(_tokens.Count - deleted.Count, deleted.Count);
            Update(audio, aware);
        }
        if (generated.Count == 0)
            return;
        _tokens.AddRange(generated);
        Update(audio, aware);
    }

    public StreamOutput Output() => new()
    {
        Name = name,
        Text = detokenize(_tokens),
        IdealDelays = _ideal,
        ComputationAwareDelays = _aware,
        DeletedUnits = _deleted,
        AudioSeconds = _audio,
        ComputationSeconds = _computation,
        Steps = _steps,
    };

    private void Update(double ideal, double aware)
    {
        string[] before = _units;
        _units = StreamOutput.Units(detokenize(_tokens), unit);
        Resize(_ideal, ideal);
        Resize(_aware, aware);
        int common = Math.Min(before.Length, _units.Length) - 1;
        if (unit == LatencyUnit.Word && common >= 0 && before[common] != _units[common])
            (_ideal[common], _aware[common]) = (ideal, aware);
    }

    private void Resize(List<double> delays, double added)
    {
        if (delays.Count > _units.Length)
            delays.RemoveRange(_units.Length, delays.Count - _units.Length);
        while (delays.Count < _units.Length)
            delays.Add(added);
    }
}
