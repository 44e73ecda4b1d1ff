namespace OmniFusion.Text;

/// <summary>
/// A stretch of text on its way to becoming a word; <paramref name="First"/> when it stands at the very beginning of the input.
/// </summary>
internal readonly record struct Piece(string Text, int Start, int Length, bool First)
{
    public ReadOnlySpan<char> Span => Text.AsSpan(Start, Length);
}

/// <summary>The second step of the pipeline: cuts the text into the words within which the model merges.</summary>
internal abstract class PreTokenizer
{
    public abstract void Split(Piece piece, List<Piece> output);
}

/// <summary>What becomes of the text that a pattern matches.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

/// <summary>Cuts at a pattern; also serves Digits, Punctuation and the whitespace pre-tokenizers, which are such patterns.</summary>
internal sealed class SplitPreTokenizer(SplitPattern pattern, SplitBehavior behavior, bool invert) : PreTokenizer
{
    public override void Split(Piece piece, List<Piece> output)
    {
        List<(int Begin, int End)> matches = new(piece.Length / 4 + 1);
        pattern.Find(piece.Span, matches);

        // The piece as alternating stretches, begin inclusive, each a match or a gap between matches.
        int from = 0;
        List<(int Begin, int End, bool Match)> parts = new(matches.Count + 1);
        foreach ((int begin, int end) in matches)
        {
            Append(parts, from, begin, invert);
            Append(parts, begin, end, !invert);
            from = end;
        }
        Append(parts, from, piece.Length, invert);

        foreach ((int begin, int end, _) in parts)
            output.Add(new Piece(piece.Text, piece.Start + begin, end - begin, piece.First && begin == 0));
    }

    private void Append(List<(int Begin, int End, bool Match)> parts, int begin, int end, bool match)
    {
        if (begin == end || (match && behavior == SplitBehavior.Removed))
            return;
        bool merge = parts.Count > 0 && parts[^1].End == begin && behavior switch
        {
            SplitBehavior.MergedWithPrevious => match && !parts[^1].Match,
            SplitBehavior.MergedWithNext => !match && parts[^1].Match,
            SplitBehavior.Contiguous => match == parts[^1].Match,
            _ => false,
        };
        if (merge)
            // A gap that took in a match is complete, and so counts as a match; a match that took in a gap counts as a gap.
            parts[^1] = (parts[^1].Begin, end, match);
        else
            parts.Add((begin, end, match));
    }
}

/// <summary>
/// Turns each word into the symbols of its UTF-8 bytes, after GPT-2's word pattern where <paramref name="words"/> is given.
/// </summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, SplitPreTokenizer? words) : PreTokenizer
{
    public override void Split(Piece piece, List<Piece> output)
    {
        Piece spaced = piece;
        if (addPrefixSpace && piece.Length > 0 && piece.Span[0] != ' ')
            spaced = new Piece(string.Concat(" ", piece.Span), 0, piece.Length + 1, piece.First);
        List<Piece> parts = [];
        if (words is null)
            parts.Add(spaced);
        else
            words.Split(spaced, parts);
        foreach (Piece part in parts)
        {
            string symbols = ByteAlphabet.Encode(part.Span);
            output.Add(new Piece(symbols, 0, symbols.Length, part.First));
        }
    }
}

/// <summary>When <see cref="MetaspacePreTokenizer"/> puts its mark before a text.</summary>
internal enum PrependScheme
{
    Never,
    First,
    Always,
}

/// <summary>SentencePiece's way: spaces become a visible mark, and a word begins with it.</summary>
internal sealed class MetaspacePreTokenizer(char mark, PrependScheme prepend, bool split) : PreTokenizer
{
    private readonly SplitPreTokenizer _words = new(SplitPattern.Literal(mark.ToString()), SplitBehavior.MergedWithNext, invert: false);

    public override void Split(Piece piece, List<Piece> output)
    {
        string text = piece.Span.ToString().Replace(' ', mark);
        bool wanted = prepend == PrependScheme.Always || (prepend == PrependScheme.First && piece.First);
        if (wanted && text.Length > 0 && text[0] != mark)
            text = mark + text;
        Piece marked = new(text, 0, text.Length, piece.First);
        if (split)
            _words.Split(marked, output);
        else
            output.Add(marked);
    }
}

internal sealed class PreTokenizerSequence(IReadOnlyList<PreTokenizer> steps) : PreTokenizer
{
    public override void Split(Piece piece, List<Piece> output)
    {
        List<Piece> pieces = [piece];
        foreach (PreTokenizer step in steps)
        {
            List<Piece> next = new(pieces.Count);
            foreach (Piece part in pieces)
                step.Split(part, next);
            pieces = next;
        }
        output.AddRange(pieces);
    }
}
