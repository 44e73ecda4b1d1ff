using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Models.Omni;

/// <summary>
/// A linear layer from the audio tower's frames to characters, trained with CTC (Graves et al. 2006) beside the recogniser. No part of the
/// published checkpoints; a bundle of ours carries it. Keys: <c>ctc_head.…</c>.
/// </summary>
public sealed class CtcHead
{
    /// <summary>Number of the blank; the characters follow from 1.</summary>
    public const int Blank = 0;

    private readonly Tensor _normWeight, _normBias;
    private readonly LinearLayer _proj;

    /// <summary>Takes the weights under <c>ctc_head</c>.</summary>
    public CtcHead(int dModel, Weights weights)
    {
        _normWeight = weights.Get("norm.weight", dModel);
        _normBias = weights.Get("norm.bias", dModel);
        _proj = new LinearLayer(weights.Under("proj"), Characters.Length + 1, dModel, bias: true);
    }

    /// <summary>What it spells with: text is lower-cased first, and every other character counts as a space.</summary>
    public static string Characters { get; } = " abcdefghijklmnopqrstuvwxyz'0123456789";

    /// <summary>[frames, d_model] to logits [frames, characters + 1].</summary>
    public Tensor Forward(Compute c, Tensor frames) => _proj.Forward(c, c.LayerNorm(frames, _normWeight, _normBias, 1e-5f));

    /// <summary>Text as class numbers, runs of spaces joined.</summary>
    public static int[] Encode(string text)
    {
        List<int> symbols = [];
        foreach (char character in text.ToLowerInvariant())
        {
            int symbol = Math.Max(Characters.IndexOf(character, StringComparison.Ordinal), 0) + 1;
            if (symbol != 1 || (symbols.Count > 0 && symbols[^1] != 1))
                symbols.Add(symbol);
        }
        if (symbols.Count > 0 && symbols[^1] == 1)
            symbols.RemoveAt(symbols.Count - 1);
        return [.. symbols];
    }

    /// <summary>The best class of each frame, repetitions and blanks removed.</summary>
    public static string Decode(Tensor logits, int start, int length)
    {
        int[] best = new int[length];
        for (int frame = 0; frame < length; frame++)
            best[frame] = System.Numerics.Tensors.TensorPrimitives.IndexOfMax<float>(logits.Row(start + frame));
        return string.Concat(CtcPath.Runs(best, Blank).Select(run => Characters[run.Symbol - 1]));
    }
}
