using OmniFusion.Models.Omni;
using OmniFusion.Tensors;
using OmniFusion.Training.Examples;

namespace OmniFusion.Training;

/// <summary>
/// Speech that breaks off. Where each word ends is what the audio tower's own head says of the text (<see cref="CtcPath.Align"/>), and the
/// answer is what is heard up to there, without the punctuation that only the next word would justify.
/// </summary>
/// <param name="thinker">Hears.</param>
/// <param name="ctcHead">Its tower's own head.</param>
/// <param name="melBins">Bins of its log-mel.</param>
internal sealed class SpeechBeginnings(Thinker thinker, CtcHead ctcHead, int melBins)
{
    // 0.2 s; less is hardly a sound.
    private const int LeastFrames = 10;

    private const string Punctuation = ",.;:!?…-–\"";

    /// <summary>Lets the speech of the examples that ask for it break off (<see cref="Example.BreaksOff"/>).</summary>
    /// <param name="c">Where it is computed.</param>
    /// <param name="batch">The examples; those whose words cannot be found stay as they are.</param>
    internal Example[] Cut(Compute c, Example[] batch)
    {
        int[] asked = [.. Enumerable.Range(0, batch.Length).Where(i => batch[i] is { BreaksOff: not null, Mel: not null })];
        if (asked.Length == 0)
            return batch;
        Example[] result = [.. batch];
        Arena.Mark scope = c.Scope();
        c.Unrecorded(() =>
        {
            AudioStates heard = thinker.EncodeAudio(c, [.. asked.Select(i => batch[i].ToInput([]))])!.Value;
            Tensor logits = ctcHead.Forward(c, heard.Frames);
            for (int item = 0; item < asked.Length; item++)
                result[asked[item]] = Cut(batch[asked[item]], logits, heard.FrameSegments.Start(item), heard.FrameSegments.Length(item));
            return true;
        });
        c.Arena.Release(scope);
        return result;
    }

    /// <summary>Some words of a text from its first on, without the punctuation behind them.</summary>
    internal static string Beginning(string[] words, int count) => string.Join(' ', words[..count]).TrimEnd([.. Punctuation, ' ']);

    private Example Cut(Example example, Tensor logits, int start, int length)
    {
        string[] words = example.Answer.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int[] letters = CtcHead.Encode(example.Answer);
        if (words.Length < 2 || CtcPath.Align(logits, start, length, letters, CtcHead.Blank) is not { } frames)
            return example;
        // Anywhere between the end of the first word and that of the last, each word as likely as the next.
        double place = 1 + example.BreaksOff!.Value * (words.Length - 1);
        int whole = (int)place, end = EndOf(whole), heard = end + (int)((place - whole) * (EndOf(whole + 1) - end));
        string answer = Beginning(words, whole);
        // The tower has a frame for two of the log-mel.
        int melFrames = Math.Min(2 * heard, example.Mel!.Length / melBins);
        return heard < LeastFrames || answer.Length == 0 ? example : example with
        {
            Mel = example.Mel[..(melFrames * melBins)], Whole = example.Answer, Answer = answer, Told = null,
            Letters = [.. letters.Where((_, i) => frames[i] < heard)],
        };

        // Words of punctuation alone spell nothing.
        int EndOf(int count) => CtcHead.Encode(string.Join(' ', words[..count])) is { Length: > 0 } spelled ? frames[Math.Min(spelled.Length, frames.Length) - 1] + 1 : 0;
    }
}
