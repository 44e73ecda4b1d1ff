using OmniFusion.Models;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>
/// A chain of thought about speech that is still arriving: behind the rows that are fused the thinker writes what it hears, on the same pass,
/// and the translator reads that behind the fused states. All of it may change from step to step; what it wrote last is tried first.
/// </summary>
/// <param name="model">Whose thinker writes.</param>
/// <param name="language">The language to translate into.</param>
/// <param name="thinker">The thinker's sequence, which ends with the rows that are fused.</param>
/// <param name="noRepeatNgramSize">No sequence of so many ids appears twice; 0 allows all.</param>
internal sealed class IncrementalThought(OmniFusionModel model, Language language, CausalRun thinker, int noRepeatNgramSize)
{
    private readonly GreedyWriter _writer = new(thinker, model.EndOfTranscript, noRepeatNgramSize);
    private readonly RowBuffer _states = new(model.Parts.Translator.Decoder.Shape.HiddenSize);

    /// <summary>Ids at the end of the thinker's prompt that ask it to write: they are not fused.</summary>
    internal int AskingLength { get; } = model.Reader.GenerationPromptLength;

    /// <summary>What the thinker wrote.</summary>
    internal string Transcript { get; private set; } = "";

    /// <summary>What the translator reads behind the fused states.</summary>
    internal int[] Opening { get; private set; } = [];

    /// <summary>Forgets what was written.</summary>
    internal void Restart() => _writer.Restart();

    /// <summary>Writes about rows that have just been run.</summary>
    /// <param name="c">Where to compute; its arena is taken back.</param>
    /// <param name="states">Rows of the prefix that have just been made [rows, D of the translator].</param>
    /// <param name="ids">The ids of all the thinker's tokens.</param>
    /// <param name="prompt">The texts around the speech.</param>
    /// <param name="mostTokens">Tokens at most.</param>
    /// <param name="cancellation">Checked at each token.</param>
    /// <returns>The same states, which the arena would have lost.</returns>
    internal Tensor Write(
        Compute c, Tensor states, int[] ids, SpeechPrompt prompt, int mostTokens, CancellationToken cancellation)
    {
        _states.Resize(states.Rows);
        states.Span.CopyTo(_states.Rows(0, states.Rows));
        _writer.ReadAnew();
        Hypothesis written = _writer.Write(
            c, new WriterPrefix(ids.Length, ids.Length, null, ids), prompt.Tail.AsSpan()[^AskingLength..], [], mostTokens, default, cancellation);
        Transcript = model.ThinkerTokenizer.Decode(written.Tokens, skipSpecialTokens: true).Trim();
        Opening = Transcript.Length == 0 ? prompt.Tower
            : model.Reader.ReadBehindSpeech(Transcript, prompt.Head.Patches is not null, language);
        return _states.From(c, 0);
    }
}
