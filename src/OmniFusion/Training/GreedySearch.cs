using OmniFusion.Generation;
using OmniFusion.Models;
using OmniFusion.Tensors;
using OmniFusion.Text;

namespace OmniFusion.Training;

/// <summary>
/// Writes greedily, for watching a training and for the transcripts that one learns with; the figures of the model card come from the
/// evaluate command.
/// </summary>
internal static class GreedySearch
{
    private const int MaxNewTokens = 80;

    /// <summary>The text of each item, without its special tokens.</summary>
    /// <param name="start">The decoder behind its prompts.</param>
    /// <param name="c">The compute that read the prompts; its arena is taken back.</param>
    /// <param name="tokenizer">Of the decoder.</param>
    /// <param name="end">The token that ends a text.</param>
    /// <param name="cancellation">Checked at each step.</param>
    internal static IEnumerable<string> Write(
        this DecoderStart start, Compute c, Tokenizer tokenizer, int end, CancellationToken cancellation)
    {
        GenerationOptions options = new() { NumBeams = 1, NoRepeatNgramSize = 0, MaxNewTokens = MaxNewTokens, EndOfText = [end] };
        return start.Search(c, options, cancellation).Select(text => tokenizer.Decode(text.Ids, skipSpecialTokens: true).Trim());
    }
}
