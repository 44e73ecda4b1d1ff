using OmniFusion.Tensors;

namespace OmniFusion.Models;

/// <summary>Cosines and sines [rows, headDim/2] by which the heads of each row are turned.</summary>
/// <param name="Cos">Cosines.</param>
/// <param name="Sin">Sines.</param>
public readonly record struct RotaryAngles(Tensor Cos, Tensor Sin);

/// <summary>Makes <see cref="RotaryAngles"/> from positions: one axis (Mistral), or three with their own share of the frequencies (Qwen2.5-Omni).</summary>
public sealed class RotaryTable
{
    private readonly double[] _inverseFrequencies;
    private readonly int[] _axis;

    /// <summary>Frequencies theta^(−2i/headDim), i &lt; headDim/2.</summary>
    /// <param name="headDim">Length of a head.</param>
    /// <param name="theta">Base of the frequencies.</param>
    /// <param name="sections">How many frequencies belong to each axis (<c>mrope_section</c>), or none for a single axis.</param>
    public RotaryTable(int headDim, double theta, params ReadOnlySpan<int> sections)
    {
        int half = headDim / 2;
        _inverseFrequencies = [.. Enumerable.Range(0, half).Select(i => (double)(1 / MathF.Pow((float)theta, 2 * i / (float)headDim)))];
        _axis = new int[half];
        int at = 0;
        for (int axis = 0; axis < sections.Length; axis++)
            for (int i = 0; i < sections[axis] && at < half; i++)
                _axis[at++] = axis;
    }

    /// <summary>Angles of rows at the given positions.</summary>
    /// <param name="c">Where to compute.</param>
    /// <param name="positions">One span of positions an axis; fewer axes than sections repeat the first.</param>
    public RotaryAngles At(Compute c, Positions positions)
    {
        int rows = positions.Count, half = _inverseFrequencies.Length;
        Tensor cos = c.Rent(new Shape(rows, half)), sin = c.Rent(new Shape(rows, half));
        for (int row = 0; row < rows; row++)
        {
            Span<float> cosRow = cos.Row(row), sinRow = sin.Row(row);
            for (int i = 0; i < half; i++)
            {
                // The published code multiplies in single precision before it takes the cosine.
                float angle = positions[_axis[i], row] * (float)_inverseFrequencies[i];
                (sinRow[i], cosRow[i]) = MathF.SinCos(angle);
            }
        }
        return new RotaryAngles(cos, sin);
    }
}

/// <summary>Positions of rows on one or three axes; grows and is reused without the heap.</summary>
public sealed class Positions
{
    private int[] _values = [];

    /// <summary>Positions on <paramref name="axes"/> axes.</summary>
    public Positions(int axes = 1) => Axes = axes;

    /// <summary>1, or 3: time, height, width.</summary>
    public int Axes { get; }

    /// <summary>Number of rows.</summary>
    public int Count { get; private set; }

    /// <summary>Position of a row on an axis.</summary>
    public int this[int axis, int row] => _values[row * Axes + (Axes == 1 ? 0 : axis)];

    /// <summary>Forgets all rows; keeps the memory.</summary>
    public void Clear() => Count = 0;

    /// <summary>Adds a row at the same position on all axes.</summary>
    public void Add(int position) => Add(position, position, position);

    /// <summary>Adds a row.</summary>
    public void Add(int time, int height, int width)
    {
        if (_values.Length < (Count + 1) * Axes)
            Array.Resize(ref _values, Math.Max(64, _values.Length * 2));
        _values[Count * Axes] = time;
        if (Axes == 3)
            (_values[Count * Axes + 1], _values[Count * Axes + 2]) = (height, width);
        Count++;
    }

    /// <summary>Adds 0, 1, … for each segment.</summary>
    public static Positions Of(Segments segments)
    {
        Positions positions = new();
        for (int s = 0; s < segments.Count; s++)
            for (int i = 0; i < segments.Length(s); i++)
                positions.Add(i);
        return positions;
    }
}
