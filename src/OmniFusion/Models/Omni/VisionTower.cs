using OmniFusion.Checkpoints;
using OmniFusion.Tensors;

namespace OmniFusion.Models.Omni;

/// <summary>
/// The image encoder of Qwen2.5-VL and Qwen2.5-Omni (arXiv 2502.13923): patches in 2x2 merge order, attention inside windows of 112 px
/// except in the full-attention blocks, two-axis rotary positions, and a merger that makes one token of four patches. Keys: <c>visual.…</c>.
/// </summary>
public sealed class VisionTower
{
    private const float NormEps = 1e-6f;

    private readonly OmniVisionConfig _config;
    private readonly Tensor _patchEmbed, _mergerNorm;
    private readonly Block[] _blocks;
    private readonly LinearLayer _merger0, _merger2;
    private readonly float[] _inverseFrequencies;

    /// <summary>Takes the weights under <c>visual</c>.</summary>
    public VisionTower(OmniVisionConfig config, Weights weights)
    {
        _config = config;
        int d = config.HiddenSize, merged = d * MergedPatches;
        _patchEmbed = weights.Get(
            "patch_embed.proj.weight", d, config.InChannels, config.TemporalPatchSize, config.PatchSize, config.PatchSize);
        _blocks = [.. Enumerable.Range(0, config.Depth).Select(i => new Block(config, weights.Under($"blocks.{i}")))];
        _mergerNorm = weights.Get("merger.ln_q.weight", d);
        _merger0 = new LinearLayer(weights.Under("merger.mlp.0"), merged, merged, bias: true);
        _merger2 = new LinearLayer(weights.Under("merger.mlp.2"), config.OutHiddenSize, merged, bias: true);
        // Height and width each turn half of the frequencies' axis.
        int axis = d / config.NumHeads / 2;
        _inverseFrequencies = [.. Enumerable.Range(0, axis / 2).Select(i => 1 / MathF.Pow(10000, 2 * i / (float)axis))];
    }

    /// <summary>Numbers in a patch: channels · frames · height · width.</summary>
    public int PatchLength => _config.InChannels * _config.TemporalPatchSize * _config.PatchSize * _config.PatchSize;

    private int MergedPatches => _config.SpatialMergeSize * _config.SpatialMergeSize;

    /// <summary>Tokens that the thinker sees for an image.</summary>
    public int TokenCount(ImageGrid grid) => grid.Patches / MergedPatches;

    /// <summary>Encodes images, packed: patches [patches of all images, patch length] to tokens [patches / 4, out_hidden_size].</summary>
    public Tensor Forward(Compute c, Tensor patches, IReadOnlyList<ImageGrid> grids)
    {
        (int[] groups, Segments windows) = Windows(grids);
        int[] rows = Expand(groups);
        Segments frames = new([.. grids.SelectMany(grid => Enumerable.Repeat(grid.Height * grid.Width, grid.Time))]);
        // Seen as a matrix only now: a view made earlier would not know that its parameter has been frozen since.
        Tensor x = c.Gather(c.Linear(patches, _patchEmbed.Reshape(new Shape(_config.HiddenSize, PatchLength))), rows);
        RotaryAngles angles = Angles(c, grids, rows);
        for (int i = 0; i < _blocks.Length; i++)
        {
            Arena.Mark scope = c.Scope();
            x = c.Keep(scope, _blocks[i].Forward(c, x, angles, _config.FullattBlockIndexes.Contains(i) ? frames : windows), into: x);
        }
        Tensor merged = c.RmsNorm(x, _mergerNorm, NormEps);
        // Four consecutive patches are one row for the merger: the memory is the same, only the rows are longer.
        merged = c.Reshape(merged, new Shape(x.Rows / MergedPatches, x.Columns * MergedPatches));
        Tensor tokens = _merger2.Forward(c, c.Gelu(_merger0.Forward(c, merged)));
        return c.Gather(tokens, Inverse(groups));
    }

    // Groups of 2x2 patches in the order of windows, and the patches of each window.
    private (int[] Groups, Segments Windows) Windows(IReadOnlyList<ImageGrid> grids)
    {
        int side = _config.WindowSize / _config.SpatialMergeSize / _config.PatchSize;
        List<int> groups = [], lengths = [];
        int offset = 0;
        foreach (ImageGrid grid in grids)
        {
            int height = grid.Height / _config.SpatialMergeSize, width = grid.Width / _config.SpatialMergeSize;
            for (int t = 0; t < grid.Time; t++, offset += height * width)
                for (int top = 0; top < height; top += side)
                    for (int left = 0; left < width; left += side)
                    {
                        int before = groups.Count;
                        for (int y = top; y < Math.Min(top + side, height); y++)
                            for (int x = left; x < Math.Min(left + side, width); x++)
                                groups.Add(offset + y * width + x);
                        lengths.Add((groups.Count - before) * MergedPatches);
                    }
        }
        return ([.. groups], new Segments(lengths.ToArray()));
    }

    private int[] Expand(int[] groups) => [.. groups.SelectMany(group => Enumerable.Range(group * MergedPatches, MergedPatches))];

    private static int[] Inverse(int[] order)
    {
        int[] inverse = new int[order.Length];
        for (int i = 0; i < order.Length; i++)
            inverse[order[i]] = i;
        return inverse;
    }

    private RotaryAngles Angles(Compute c, IReadOnlyList<ImageGrid> grids, int[] rows)
    {
        List<(int Y, int X)> places = [];
        int merge = _config.SpatialMergeSize;
        foreach (ImageGrid grid in grids)
            for (int t = 0; t < grid.Time; t++)
                for (int top = 0; top < grid.Height; top += merge)
                    for (int left = 0; left < grid.Width; left += merge)
                        for (int y = 0; y < merge; y++)
                            for (int x = 0; x < merge; x++)
                                places.Add((top + y, left + x));
        int quarter = _inverseFrequencies.Length;
        Tensor cos = c.Rent(new Shape(rows.Length, 2 * quarter)), sin = c.Rent(new Shape(rows.Length, 2 * quarter));
        for (int row = 0; row < rows.Length; row++)
            for (int i = 0; i < quarter; i++)
            {
                (int y, int x) = places[rows[row]];
                (sin.Row(row)[i], cos.Row(row)[i]) = MathF.SinCos(y * _inverseFrequencies[i]);
                (sin.Row(row)[quarter + i], cos.Row(row)[quarter + i]) = MathF.SinCos(x * _inverseFrequencies[i]);
            }
        return new RotaryAngles(cos, sin);
    }

    private sealed class Block
    {
        private readonly int _heads, _headDim;
        private readonly Tensor _norm1, _norm2;
        private readonly LinearLayer _q, _k, _v, _proj, _gateProj, _upProj, _downProj;

        internal Block(OmniVisionConfig config, Weights weights)
        {
            int d = config.HiddenSize;
            _heads = config.NumHeads;
            _headDim = d / _heads;
            _norm1 = weights.Get("norm1.weight", d);
            _norm2 = weights.Get("norm2.weight", d);
            _q = new LinearLayer(weights.Under("attn.q"), d, d, bias: true);
            _k = new LinearLayer(weights.Under("attn.k"), d, d, bias: true);
            _v = new LinearLayer(weights.Under("attn.v"), d, d, bias: true);
            _proj = new LinearLayer(weights.Under("attn.proj"), d, d, bias: true);
            _gateProj = new LinearLayer(weights.Under("mlp.gate_proj"), config.IntermediateSize, d, bias: true);
            _upProj = new LinearLayer(weights.Under("mlp.up_proj"), config.IntermediateSize, d, bias: true);
            _downProj = new LinearLayer(weights.Under("mlp.down_proj"), d, config.IntermediateSize, bias: true);
        }

        internal Tensor Forward(Compute c, Tensor x, RotaryAngles angles, Segments windows)
        {
            Tensor normed = c.RmsNorm(x, _norm1, NormEps);
            Tensor q = c.Rotary(_q.Forward(c, normed), angles.Cos, angles.Sin, _heads);
            Tensor k = c.Rotary(_k.Forward(c, normed), angles.Cos, angles.Sin, _heads);
            Tensor attended = c.Attention(q, k, _v.Forward(c, normed),
                new AttentionShape(windows, _heads, _heads, Causal: false, Scale: 1 / MathF.Sqrt(_headDim)));
            x = c.Add(x, _proj.Forward(c, attended));
            normed = c.RmsNorm(x, _norm2, NormEps);
            return c.Add(x, _downProj.Forward(c, c.SwiGlu(_gateProj.Forward(c, normed), _upProj.Forward(c, normed))));
        }
    }
}
