namespace OmniFusion.Evaluation;

/// <summary>What one step of a system did.</summary>
/// <param name="AudioSeconds">Audio heard when it began.</param>
/// <param name="ComputationSeconds">How long it computed.</param>
/// <param name="Deleted">Characters (UTF-16) at the end of the text so far that it took back.</param>
/// <param name="Added">What it put behind the rest.</param>
public readonly record struct RecordedStep(double AudioSeconds, double ComputationSeconds, int Deleted, string Added);

/// <summary>What a system did with one recording; everything that is measured follows from it.</summary>
/// <param name="Name">The name of the recording.</param>
/// <param name="SourceSeconds">The length of the recording.</param>
/// <param name="Steps">In order; those that put out nothing are there too, for they took time.</param>
public sealed record SimultaneousRecord(string Name, double SourceSeconds, IReadOnlyList<RecordedStep> Steps)
{
    /// <summary>The final text with the time of each unit's last change, and how much was taken back.</summary>
    /// <param name="unit">What a delay belongs to.</param>
    /// <param name="model">How computation counts.</param>
    /// <exception cref="OmniFusionException">A step took back more than was there, or has an impossible time.</exception>
    public StreamOutput Output(LatencyUnit unit = LatencyUnit.Word, ComputationModel model = ComputationModel.RealTime)
    {
        StreamAssembly assembly = new(Name, unit, model, SimulstreamLog.JoinPieces);
        foreach (RecordedPieces step in Pieces())
            assembly.Take(step.AudioSeconds, step.ComputationSeconds, step.Deleted, step.Generated);
        return assembly.Output();
    }

    /// <summary>
    /// The steps in pieces of text, each with the space before it as U+2581; a piece that is cut is taken back and put out anew.
    /// </summary>
    internal IEnumerable<RecordedPieces> Pieces()
    {
        List<string> all = [];
        foreach (RecordedStep step in Steps)
        {
            List<string> deleted = [];
            string kept = "";
            for (int left = step.Deleted; left > 0;)
            {
                if (all.Count == 0)
                    throw new OmniFusionException($"{Name}: a step took back {step.Deleted} characters, which is more than there were.");
                string last = all[^1];
                all.RemoveAt(all.Count - 1);
                deleted.Insert(0, last);
                kept = left < last.Length ? last[..^left] : "";
                left -= last.Length;
            }
            List<string> generated = Split(kept + step.Added.Replace(' ', '\u2581'));
            all.AddRange(generated);
            yield return new RecordedPieces(step.AudioSeconds, step.ComputationSeconds, deleted, generated);
        }
    }

    private static List<string> Split(string text)
    {
        List<string> pieces = [];
        int start = 0;
        for (int i = 1; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] != '\u2581')
                continue;
            pieces.Add(text[start..i]);
            start = i;
        }
        return pieces;
    }
}

/// <summary>A step in simulstream's tokens.</summary>
internal readonly record struct RecordedPieces(
    double AudioSeconds, double ComputationSeconds, IReadOnlyList<string> Deleted, IReadOnlyList<string> Generated);
