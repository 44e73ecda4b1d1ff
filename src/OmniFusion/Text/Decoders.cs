using System.Text;
using System.Text.RegularExpressions;

namespace OmniFusion.Text;

/// <summary>The way back: turns the texts of tokens, step by step, into the pieces whose concatenation is the text.</summary>
internal abstract class Decoder
{
    public abstract List<string> Decode(List<string> tokens);
}

internal sealed class ByteLevelDecoder : Decoder
{
    public override List<string> Decode(List<string> tokens)
    {
        List<byte> bytes = new(tokens.Count * 4);
        foreach (string token in tokens)
            ByteAlphabet.Decode(token, bytes);
        return [Encoding.UTF8.GetString([.. bytes])];
    }
}

/// <summary>Joins runs of byte tokens into characters; a run that is no UTF-8 becomes one replacement character a byte.</summary>
internal sealed class ByteFallbackDecoder : Decoder
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public override List<string> Decode(List<string> tokens)
    {
        List<string> output = new(tokens.Count);
        List<byte> run = [];
        foreach (string token in tokens)
        {
            int value = BpeModel.ByteOf(token);
            if (value >= 0)
            {
                run.Add((byte)value);
                continue;
            }
            Flush(run, output);
            output.Add(token);
        }
        Flush(run, output);
        return output;
    }

    private static void Flush(List<byte> run, List<string> output)
    {
        if (run.Count == 0)
            return;
        try
        {
            output.Add(Strict.GetString([.. run]));
        }
        catch (DecoderFallbackException)
        {
            output.Add(new string('\uFFFD', run.Count));
        }
        run.Clear();
    }
}

internal sealed class FuseDecoder : Decoder
{
    public override List<string> Decode(List<string> tokens) => [string.Concat(tokens)];
}

internal sealed class ReplaceDecoder(string pattern, string content) : Decoder
{
    public override List<string> Decode(List<string> tokens) =>
        tokens.ConvertAll(token => token.Replace(pattern, content, StringComparison.Ordinal));
}

internal sealed class RegexReplaceDecoder(Regex pattern, string content) : Decoder
{
    public override List<string> Decode(List<string> tokens) => tokens.ConvertAll(token => pattern.Replace(token, _ => content));
}

/// <summary>Takes up to <paramref name="start"/> and <paramref name="stop"/> times a character from the ends of each token.</summary>
internal sealed class StripDecoder(char content, int start, int stop) : Decoder
{
    public override List<string> Decode(List<string> tokens) => tokens.ConvertAll(token =>
    {
        int begin = 0, end = token.Length;
        while (begin < Math.Min(start, end) && token[begin] == content)
            begin++;
        while (end > begin && token.Length - end < stop && token[end - 1] == content)
            end--;
        return token[begin..end];
    });
}

internal sealed class MetaspaceDecoder(char mark, PrependScheme prepend) : Decoder
{
    public override List<string> Decode(List<string> tokens)
    {
        List<string> output = new(tokens.Count);
        foreach (string token in tokens)
            output.Add(output.Count == 0 && prepend != PrependScheme.Never
                ? token.Replace(mark.ToString(), "", StringComparison.Ordinal)
                : token.Replace(mark, ' '));
        return output;
    }
}

internal sealed class DecoderSequence(IReadOnlyList<Decoder> steps) : Decoder
{
    public override List<string> Decode(List<string> tokens) => steps.Aggregate(tokens, (current, step) => step.Decode(current));
}
