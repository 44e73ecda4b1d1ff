using OmniFusion.Text;

namespace OmniFusion.Simultaneous;

/// <summary>A model that writes about a source which is still growing: speech or text. One thread at a time.</summary>
public interface IPartialDecoder
{
    /// <summary>Of the text that it writes.</summary>
    Tokenizer Tokenizer { get; }

    /// <summary>Length of the source so far, in the positions of <see cref="Hypothesis.Attention"/>.</summary>
    int SourcePositions { get; }

    /// <summary>Whether the source is complete.</summary>
    bool SourceEnded { get; }

    /// <summary>
    /// Continues a text greedily. The decoder keeps what it computed for the source and for a common beginning of this text and the last.
    /// </summary>
    /// <param name="kept">The tokens that may not change.</param>
    /// <param name="maxNewTokens">Tokens to write at most behind them.</param>
    /// <param name="cancellation">Checked at each token.</param>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    Hypothesis Write(IReadOnlyList<int> kept, int maxNewTokens, CancellationToken cancellation = default);
}
