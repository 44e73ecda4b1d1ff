namespace OmniFusion.Training.Data;

/// <summary>A festival that stays running and speaks one sentence after another into files.</summary>
internal sealed class FestivalProcess : IDisposable
{
    private const string EndOfAnswer = "omnifusion-done";

    // int_lr_params moves and widens the pitch contour of the diphone voices; the model's mean and deviation are
    // those of the speaker it was learnt from.
    private const string Definitions =
        "(define (omnifusion_speak voice stretch pitch text file) "
        + "(eval (list voice)) "
        + "(Parameter.set 'Duration_Stretch stretch) "
        + "(set! int_lr_params (list (list 'target_f0_mean pitch) (list 'target_f0_std 14) "
        + "(list 'model_f0_mean 170) (list 'model_f0_std 34))) "
        + "(utt.save.wave (utt.synth (eval (list 'Utterance 'Text text))) file 'riff))";

    private readonly ChildProcess _festival = new("festival", ["--pipe"], "Cannot start festival.", CancellationToken.None);

    public FestivalProcess() => _festival.Input.WriteLine(Definitions);

    public void Speak(string voice, string stretch, string pitch, string text, string file, TimeSpan patience)
    {
        try
        {
            _festival.Input.WriteLine(
                $"(omnifusion_speak 'voice_{voice} {stretch} {pitch} {Quote(text)} {Quote(file)})\n(print '{EndOfAnswer})\n(fflush nil)");
            _festival.Input.Flush();
            using CancellationTokenSource limit = new(patience);
            while (_festival.Output.ReadLineAsync(limit.Token).AsTask().GetAwaiter().GetResult() is { } line)
            {
                if (line.Contains(EndOfAnswer))
                    return;
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            throw new OmniFusionException($"festival does not answer. {_festival.Complaint}", error);
        }

        throw new OmniFusionException($"festival ended. {_festival.Complaint}");
    }

    public void Dispose() => _festival.Dispose();

    private static string Quote(string text) => $"\"{text.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"";
}
